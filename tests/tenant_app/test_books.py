"""The pages of address books: who gets which, what stands in them, and that what follows is named before it happens."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select

from core.directory.books.clients import add_client
from core.directory.books.entries import put_in_book
from core.directory.books.models import AddressBook, AddressBookEntry
from core.directory.books.queries import books_of_contact
from core.directory.books.service import BookDraft, SyncPolicy, create_book
from core.directory.drafts import ContactDraft
from core.directory.models import Contact
from core.directory.service import create_contact
from core.identity.models import PermissionGrant
from core.identity.user_groups import create_user_group
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.phone import Phone

HTMX = {"HX-Request": "true"}


def form_of(cast: Cast, **changes: str) -> dict[str, str]:
    """A book's form as a browser posts it."""
    database = str(cast.demo.open_database)
    return {"name": "Partners", "database_id": database, "audience": "everyone", "sync_policy": "phone_book"} | changes


def created(client: FlaskClient, cast: Cast, **changes: str) -> str:
    """The address of a new book."""
    answer = client.post("/books/new", data=form_of(cast, **changes))
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


@pytest.fixture
def book(work_as: WorkAs, cast: Cast) -> int:
    """A book that goes onto everyone's phones."""
    draft = BookDraft(
        name="Partners", database_id=cast.demo.open_database, everyone_sees=True, sync_policy=SyncPolicy.PHONE_BOOK
    )
    with work_as("anna") as work:
        return create_book(work, draft)


@pytest.fixture
def jana(work_as: WorkAs, cast: Cast, book: int) -> int:
    """A contact in the book."""
    with work_as("anna") as work:
        contact_id = create_contact(work, ContactDraft(name="Jana Malá", database_id=cast.demo.open_database))
        put_in_book(work, book, [contact_id])
    return contact_id


@pytest.fixture
def phone(work_as: WorkAs, jana: int) -> Phone:
    """Boris's phone, which holds the book."""
    with work_as("boris") as work:
        client = add_client(work, "Boris's phone")
    made = Phone(client.username, client.password)
    made.sync()
    assert "Jana Malá" in made.text
    return made


def names_in(page: str) -> list[str]:
    """The contacts that a book's page lists."""
    return re.findall(r"data-row-link>([^<]+)</a>", page)


# Making one


@pytest.mark.covers("GD-8", "GD-17")
def test_a_book_says_who_sees_it_and_how_far_it_goes(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        sales = create_user_group(work, "Sales")
    anna = client_as("anna")
    url = created(anna, cast, audience="groups", sync_policy="app_only", **{f"group-{sales}": "phone_book"})
    page = anna.get("/books/").text
    assert f'href="{url}"' in page
    for shown in ("Partners", "Sales", "Only in Centrala"):
        assert shown in page
    form = anna.get(f"{url}/edit").text
    assert re.search(rf'id="group-{sales}".*?value="phone_book" selected', form, re.DOTALL)
    assert client_as("vera").get(url).status_code == 404


def test_a_refused_form_keeps_everything(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        sales = create_user_group(work, "Sales")
    typed = form_of(cast, name=" ", audience="groups", sync_policy="none", **{f"group-{sales}": "app_only"})
    answer = client_as("anna").post("/books/new", data=typed)
    assert answer.status_code == 422
    assert 'id="name-error"' in answer.text
    assert re.search(r'value="groups" checked', answer.text)
    assert re.search(r'name="sync_policy" value="none" checked', answer.text)
    assert re.search(rf'id="group-{sales}".*?value="app_only" selected', answer.text, re.DOTALL)
    with work_as("anna") as work:
        assert work.session.scalar(select(func.count()).select_from(AddressBook)) == 0


def test_who_manages_books_makes_one_for_others_and_can_mend_it(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    with work_as("anna") as work:
        board = create_user_group(work, "Management")
    boris = client_as("boris")
    url = created(boris, cast, audience="groups", **{f"group-{board}": "phone_book"})
    assert boris.post(f"{url}/edit", data=form_of(cast, name="Close partners", audience="groups")).status_code == 303
    assert "Close partners" in boris.get(url).text
    with work_as("boris") as work:
        client = add_client(work, "Phone")
    held = Phone(client.username, client.password)
    held.sync()
    assert held.tokens == {}


def test_an_empty_list_and_an_empty_book_give_the_first_action(client_as: ClientAs, cast: Cast) -> None:
    anna = client_as("anna")
    assert "No address books yet" in anna.get("/books/").text
    page = anna.get(created(anna, cast)).text
    assert "This book is empty" in page
    assert "/add" in page


# Contents


@pytest.mark.covers("GD-8")
def test_contacts_are_found_and_put_in_one_by_one(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, book: int, jana: int
) -> None:
    with work_as("anna") as work:
        petr = create_contact(work, ContactDraft(name="Petr Malý", database_id=cast.demo.open_database))
    boris = client_as("boris")
    page = boris.get(f"/books/{book}/add?q=mal").text
    assert page.count("In the book") == 1
    assert re.findall(r'name="put" value="(\d+)"', page) == [str(petr)]
    answer = boris.post(f"/books/{book}/contacts", data={"put": str(petr), "q": "mal"})
    assert answer.headers["Location"] == f"/books/{book}/add?q=mal"
    assert boris.get(f"/books/{book}/add?q=mal").text.count("In the book") == 2
    assert names_in(boris.get(f"/books/{book}").text) == ["Jana Malá", "Petr Malý"]


def test_a_whole_database_goes_in_and_the_book_is_paged_and_searched(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, book: int
) -> None:
    with work_as("anna") as work:
        for number in range(52):
            create_contact(work, ContactDraft(name=f"Person {number:02}", database_id=cast.demo.open_database))
    boris = client_as("boris")
    boris.post(f"/books/{book}/contacts", data={"database_id": str(cast.demo.open_database)})
    first = boris.get(f"/books/{book}").text
    assert "52 contacts put in." in first
    more = re.search(r'href="(/books/\d+\?q=&amp;after=\d+)"', first)
    assert more
    second = names_in(boris.get(more.group(1).replace("&amp;", "&")).text)
    assert names_in(first) + second == [f"Person {number:02}" for number in range(52)]
    assert names_in(boris.get(f"/books/{book}?q=person+07").text) == ["Person 07"]
    assert "Nobody found" in boris.get(f"/books/{book}?q=zebra").text


@pytest.mark.attack(57)
def test_a_contact_of_a_hidden_database_is_in_no_book_for_others(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, book: int, jana: int
) -> None:
    with work_as("anna") as work:
        chief = create_contact(work, ContactDraft(name="Chief", database_id=cast.demo.closed_database))
        put_in_book(work, book, [chief])
    assert names_in(client_as("anna").get(f"/books/{book}").text) == ["Chief", "Jana Malá"]
    boris = client_as("boris")
    page = boris.get(f"/books/{book}").text
    assert names_in(page) == ["Jana Malá"]
    assert '<span class="count">1</span>' in page
    assert boris.post(f"/contacts/{chief}/books", data={"book_id": str(book)}).status_code == 404
    boris.post(f"/books/{book}/contacts", data={"withdraw": str(chief)})
    with work_as("anna") as work:
        assert work.session.scalar(select(func.count()).select_from(AddressBookEntry)) == 2


# Withdrawing


@pytest.mark.covers("GD-14", "GD-18")
def test_whoever_withdraws_a_contact_is_told_how_many_phones_hold_it(
    client_as: ClientAs, book: int, jana: int, phone: Phone
) -> None:
    anna = client_as("anna")
    question = anna.get(f"/books/{book}?withdraw={jana}").text
    assert "1 phone or program holds this contact. It disappears there at its next sync." in question
    assert anna.post(f"/books/{book}/contacts", data={"withdraw": str(jana)}).status_code == 303
    assert names_in(anna.get(f"/books/{book}").text) == []
    phone.sync()
    assert phone.cards == {}


def test_a_question_about_a_contact_that_is_not_in_the_book_asks_nothing(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, book: int
) -> None:
    with work_as("anna") as work:
        petr = create_contact(work, ContactDraft(name="Petr Malý", database_id=cast.demo.open_database))
    anna = client_as("anna")
    for wanted in (petr, 0, "x", "9" * 40):
        assert "data-shown" not in anna.get(f"/books/{book}?withdraw={wanted}").text


@pytest.mark.covers("GD-18")
def test_a_contacts_page_says_who_holds_it_and_never_more_than_can_be_known(
    client_as: ClientAs, book: int, jana: int, phone: Phone
) -> None:
    anna = client_as("anna")
    url = f"/contacts/{jana}"
    held = anna.get(url).text
    assert "Boris&#39;s phone" in held
    assert "on 1 phone" in held
    anna.post(f"/books/{book}/contacts", data={"withdraw": str(jana)})
    assert "it goes at the next sync" in anna.get(url).text
    phone.sync()
    served = anna.get(url).text
    assert "The removal was served" in served
    assert "has not come back since" in served
    phone.sync()
    assert "came back after it" in anna.get(url).text


def test_a_check_box_answers_with_the_card_and_can_be_undone(
    client_as: ClientAs, work_as: WorkAs, book: int, jana: int, phone: Phone
) -> None:
    boris = client_as("boris")
    answer = boris.post(f"/contacts/{jana}/books", data={"book_id": str(book)}, headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "It goes from 1 phone at its next sync." in answer.headers["HX-Trigger"]
    undo = re.search(r'"undo_url": "([^"]+)"', answer.headers["HX-Trigger"])
    assert undo
    assert boris.post(undo.group(1)).headers["Location"] == f"/contacts/{jana}"
    with work_as("boris") as work:
        assert [found.is_in for found in books_of_contact(work, jana)] == [True]


@pytest.mark.covers("GD-12")
def test_a_deleted_contact_leaves_the_books_and_the_phones(
    client_as: ClientAs, work_as: WorkAs, jana: int, phone: Phone
) -> None:
    boris = client_as("boris")
    page = boris.get(f"/contacts/{jana}").text
    assert "It leaves 1 address book." in page
    assert "1 phone or program holds it. It disappears there at its next sync." in page
    assert boris.post(f"/contacts/{jana}/delete", data={"version": "1"}).headers["Location"] == "/contacts/"
    assert boris.get(f"/contacts/{jana}").status_code == 404
    phone.sync()
    assert phone.cards == {}
    with work_as("anna") as work:
        assert work.session.get(Contact, jana) is None


def test_a_contact_that_a_colleague_changed_is_not_deleted(client_as: ClientAs, work_as: WorkAs, jana: int) -> None:
    boris = client_as("boris")
    for version in ("0", "", "x", "9" * 30):
        answer = boris.post(f"/contacts/{jana}/delete", data={"version": version})
        assert answer.headers["Location"] == f"/contacts/{jana}"
    assert "Nothing was deleted." in boris.get(f"/contacts/{jana}").text
    with work_as("boris") as work:
        assert work.session.get(Contact, jana) is not None


def test_deleting_a_book_names_its_numbers_and_empties_phones(
    client_as: ClientAs, work_as: WorkAs, book: int, jana: int, phone: Phone
) -> None:
    anna = client_as("anna")
    page = anna.get(f"/books/{book}").text
    assert "1 contact leaves the book." in page
    assert "It goes from 1 phone or program at its next sync." in page
    assert anna.post(f"/books/{book}/delete").headers["Location"] == "/books/"
    assert anna.get(f"/books/{book}").status_code == 404
    with work_as("anna") as work:
        assert work.session.get(Contact, jana) is not None


# Rights


def test_an_agent_who_manages_no_books_sees_them_and_fills_them(
    client_as: ClientAs, work_as: WorkAs, book: int, jana: int
) -> None:
    with work_as("system") as work:
        work.session.execute(delete(PermissionGrant).where(PermissionGrant.permission == "books.manage"))
    boris = client_as("boris")
    pages = boris.get("/books/").text + boris.get(f"/books/{book}").text
    assert "Partners" in pages
    for offer in ("/books/new", f"/books/{book}/edit", f"/books/{book}/delete"):
        assert offer not in pages
    for path in ("/books/new", f"/books/{book}/edit", f"/books/{book}/delete"):
        assert boris.post(path).status_code == 403
    assert boris.post(f"/books/{book}/contacts", data={"withdraw": str(jana)}).status_code == 303


def test_who_may_only_read_sees_books_and_is_offered_no_change(client_as: ClientAs, book: int, jana: int) -> None:
    vera = client_as("vera")
    pages = vera.get("/books/").text + vera.get(f"/books/{book}").text + vera.get(f"/contacts/{jana}").text
    assert "Partners" in pages
    changes = [f"/contacts/{jana}/{change}" for change in ("books", "edit", "delete")]
    for offer in ("/books/new", f"/books/{book}/add", f"/books/{book}/edit", "withdraw=", *changes):
        assert offer not in pages
    assert "data-shown" not in vera.get(f"/books/{book}?withdraw={jana}").text


@pytest.mark.attack(1, 2)
def test_another_company_reaches_neither_books_nor_contacts(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, book: int, jana: int
) -> None:
    oleg = client_as("oleg")
    own = created(oleg, cast, database_id=str(cast.other.open_database))
    assert "Partners" in oleg.get("/books/").text
    assert oleg.get(f"/books/{book}").status_code == 404
    assert oleg.post("/books/new", data=form_of(cast, name="Mine")).status_code == 422
    assert oleg.post(f"/books/{book}/contacts", data={"withdraw": str(jana)}).status_code == 404
    assert (
        oleg.post(f"/contacts/{jana}/books", data={"book_id": own.rpartition("/")[2], "is_in": "1"}).status_code == 404
    )
    oleg.post(f"{own}/contacts", data={"put": str(jana)})
    oleg.post(f"{own}/contacts", data={"database_id": str(cast.demo.open_database)})
    assert names_in(oleg.get(own).text) == []
    assert "Jana" not in oleg.get(f"{own}/add?q=jana").text.replace('value="jana"', "")
    assert names_in(client_as("anna").get(f"/books/{book}").text) == ["Jana Malá"]
