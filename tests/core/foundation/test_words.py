"""Order, search and language: what people's words become."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, insert, select, text

from core.directory.models import Contact
from core.foundation.errors import Invalid, NotFound
from core.foundation.i18n import LOCALES, Message, _, translate
from core.foundation.search import Order, is_in_first_matches, is_in_matches, search_view
from core.foundation.settings import settings
from core.foundation.sorting import sort_key
from core.foundation.unit_of_work import Work, unit_of_work
from tests.conftest import WorkAs
from tests.support.cast import Cast

CZECH = ["Adam", "Cibulka", "Čapek", "Dvořák", "Hora", "Chalupa", "Ivan", "Řezník", "Sova", "Šimek", "Zeman", "Žák"]
POLISH = ["Adam", "Ąber", "Cybula", "Ćwik", "Lis", "Łoś", "Mak", "Sowa", "Śliwa", "Zając", "Źrebak", "Żak"]


@pytest.mark.parametrize(("names", "locale"), [(CZECH, "cs"), (POLISH, "pl")])
def test_names_stand_as_in_a_dictionary_of_the_language(names: list[str], locale: str) -> None:
    assert sorted(set(names), key=lambda name: sort_key(name, locale)) == names


def test_the_language_decides_where_ch_stands() -> None:
    assert sort_key("Chalupa", "cs") > sort_key("Hora", "cs")
    assert sort_key("Chalupa", "en") < sort_key("Hora", "en")


def test_the_database_sorts_by_the_key(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        for name in reversed(CZECH):
            work.session.add(Contact(name=name, sort_key=sort_key(name, "cs"), database_id=cast.demo.open_database))
        work.session.flush()
        assert work.session.scalars(select(Contact.name).order_by(Contact.sort_key, Contact.id)).all() == CZECH


# Search

PEOPLE = ["Šárka Čapková", "Łukasz Wróbel", "100% Sleva", "a_b", "axb", r"back\slash", "Straße"]


@pytest.fixture
def work(work_as: WorkAs, cast: Cast) -> Iterator[Work]:
    """The demo company with some people, one of them in a database that only the owner sees."""
    with work_as("system") as work:
        for name in PEOPLE:
            work.session.add(Contact(name=name, sort_key=b"", search_words=name, database_id=cast.demo.open_database))
        work.session.add(
            Contact(name="Šárka Tajná", sort_key=b"", search_words="Šárka Tajná", database_id=cast.demo.closed_database)
        )
    with work_as("boris") as work:
        yield work


def found(work: Work, needle: str) -> set[str]:
    """The names that a search finds."""
    return set(
        work.session.scalars(select(Contact.name).where(is_in_matches(Contact.id, search_view("contact"), needle)))
    )


@pytest.mark.parametrize(
    ("needle", "expected"),
    [
        ("sarka", {"Šárka Čapková"}),
        ("ŠÁRKA", {"Šárka Čapková"}),
        ("capk sar", {"Šárka Čapková"}),
        ("lukasz", {"Łukasz Wróbel"}),
        ("strasse", {"Straße"}),
        ("100%", {"100% Sleva"}),
        ("a_b", {"a_b"}),
        ("_", {"a_b"}),
        ("%", {"100% Sleva"}),
        ("％", {"100% Sleva"}),
        ("＿", {"a_b"}),
        ("\\", {"back\\slash"}),
        ("k\\s", {"back\\slash"}),
        ("＼", {"back\\slash"}),
        ("sarka nobody", set()),
        ("'; drop table contact; --", set()),
        ("  ", set(PEOPLE)),
    ],
)
def test_a_search_finds_words_without_case_and_accents(work: Work, needle: str, expected: set[str]) -> None:
    assert found(work, needle) == expected


@pytest.mark.attack(57)
def test_a_search_finds_nothing_that_is_hidden(work: Work) -> None:
    assert found(work, "tajna") == set()
    assert work.session.scalar(text("select count(*) from contact_search where search_text like '%tajna%'")) == 0


@pytest.mark.attack(5)
def test_a_search_finds_nothing_of_another_company(work: Work, work_as: WorkAs) -> None:
    with work_as("oleg") as theirs:
        assert found(theirs, "sarka") == set()
        assert theirs.session.scalar(text("select count(*) from contact_search")) == 0


ALPHABETICAL = Order((Contact.sort_key, Contact.id))


def suggested(work: Work, needle: str, *, enough: int) -> set[str]:
    """The names that a list of suggestions chooses from."""
    fits = is_in_first_matches(
        ALPHABETICAL, Contact.search_text, search_view("contact"), needle, enough=enough, cap=1000
    )
    return set(work.session.scalars(select(Contact.name).where(fits)))


@pytest.mark.parametrize("needle", ["sarka", "lukasz wrob", "100%", "_", "％", "\\", "nobody", "  "])
@pytest.mark.parametrize("enough", [0, 1, 100], ids=["read through", "either", "by the index"])
def test_suggestions_are_what_a_search_finds(work: Work, needle: str, enough: int) -> None:
    assert suggested(work, needle, enough=enough) == found(work, needle)


def test_suggestions_look_further_only_where_the_first_rows_are_not_enough(
    work: Work, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.foundation.search.LOOKED_AT", len(PEOPLE) + 2)
    for place, name in enumerate(["Adam Horák", "Adam Malý", "Beata Adamová"]):
        key = bytes([0, place])
        row = {"name": name, "sort_key": key, "search_words": name, "database_id": cast.demo.open_database}
        work.session.execute(insert(Contact), row)
    assert suggested(work, "adam", enough=1) == {"Adam Horák", "Adam Malý"}
    assert suggested(work, "beata", enough=1) == {"Beata Adamová"}


@pytest.mark.attack(57)
@pytest.mark.parametrize("enough", [1, 100])
def test_suggestions_hold_nothing_that_is_hidden(work: Work, enough: int) -> None:
    assert suggested(work, "tajna", enough=enough) == set()


def test_a_search_uses_its_index(committed: Cast) -> None:
    rows = text(
        "insert into contact (name, sort_key, search_words, database_id)"
        " select 'N', '', md5(n::text), :database from generate_series(1, 5000) n"
    )
    with unit_of_work(committed.actor("boris")) as work:
        work.session.execute(rows, {"database": committed.demo.open_database})
    owner = create_engine(settings().owner_database_url, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("vacuum analyze contact"))  # also moves new words from the index's waiting list
    owner.dispose()
    query = select(Contact.name).where(is_in_matches(Contact.id, search_view("contact"), "sarka"))
    with unit_of_work(committed.actor("boris")) as work:
        compiled = query.compile(work.session.get_bind(), compile_kwargs={"literal_binds": True})
        plan = "\n".join(work.session.scalars(text(f"explain {compiled}".replace(":", r"\:").replace("%%", "%"))))
    assert "Bitmap Index Scan on ix_contact_tenant_id_search_text" in plan


# Language


def test_a_message_is_english_until_it_is_shown() -> None:
    message = _("%(name)s signs in with this e-mail already.", name="Eva")
    assert str(message) == "Eva signs in with this e-mail already."
    assert translate(message, "en") == "Eva signs in with this e-mail already."


@pytest.mark.parametrize("locale", [*LOCALES, "de", ""])
def test_a_message_without_a_translation_is_english(locale: str) -> None:
    assert translate(Message("No catalogue has %(what)s", {"what": "this"}), locale) == "No catalogue has this"
    assert translate("plain text", locale) == "plain text"
    assert translate(Message(""), locale) == ""


def test_an_error_carries_what_is_told() -> None:
    assert str(NotFound()) == "This does not exist, or not for you."
    refused = Invalid({"name": _("Enter a name."), "email": _("Enter an e-mail.")})
    assert (str(refused), set(refused.problems)) == ("Enter a name.", {"name", "email"})
