"""The audit log: told with names, by filters that hold, and never of what the reader does not see."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.audit import queries
from core.audit.kinds import KINDS
from core.audit.queries import ChangeKey, Entry, Wanted, begin_export, changes, everybody
from core.audit.telling import Told
from core.calls.trunks import TrunkDraft, create_trunk
from core.directory.drafts import ContactDraft, Reachable
from core.directory.service import create_contact, delete_contact
from core.foundation.errors import Forbidden
from core.foundation.history import Change, differences, record_change
from core.foundation.permissions import Permission
from core.foundation.read_log import ReadEvent
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.models import UserAccount
from core.identity.permission_groups import GroupDraft, add_permission_group
from core.identity.service import UserDraft, create_user
from core.identity.user_groups import create_user_group, set_groups_of_user
from core.visibility.kinds import Kind
from core.visibility.service import ThingDraft, create_thing
from deploy.local.places import ROOT
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.things import create_things


@contextmanager
def auditor(cast: Cast, name: str = "vera", *, without: Permission | None = None) -> Iterator[Work]:
    """Somebody who sees what everyone sees, and reads the audit log."""
    actor = cast.actor(name)
    held = (actor.permissions | {Permission.AUDIT_READ}) - {without}
    with unit_of_work(replace(actor, permissions=frozenset(held))) as work:
        yield work


def plain(side: Told) -> list[str]:
    """A side's entries in English."""
    return [" · ".join(str(part) for part in parts) for parts in side]


def fields(entry: Entry) -> dict[str, tuple[list[str], list[str]]]:
    """The fields of a change by name."""
    return {str(field.name): (plain(field.before), plain(field.after)) for field in entry.fields}


def subjects(work: Work, wanted: Wanted) -> list[str]:
    """What the found changes were made to."""
    return [entry.subject for entry in changes(work, wanted).rows]


def test_a_change_is_told_with_who_what_and_both_sides(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        group = create_user_group(work, "Night shift")
        set_groups_of_user(work, cast.demo.users["boris"], [group])
    with work_as("anna") as work:
        newest, created, *_rest = changes(work, Wanted()).rows
        assert (newest.user_name, newest.door, newest.what) == ("Anna Nováková", "web", "changed")
        assert (str(newest.kind_name), newest.subject) == ("User", "Boris Nováková")
        assert fields(newest)["User groups"][1][-1] == "Night shift"
        assert (created.subject, created.what) == ("Night shift", "created")


def test_permissions_are_told_by_their_names(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        add_permission_group(work, GroupDraft(name="Auditors", permissions=frozenset({Permission.AUDIT_READ})))
        told = fields(changes(work, Wanted(kind="permission_group")).rows[0])
        assert told["Permissions"] == ([], ["See the audit log"])


def test_codes_are_told_in_words(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        group = work.session.get_one(UserAccount, cast.demo.users["vera"]).permission_group_id
        draft = UserDraft(
            email="eva@demo.localhost", name="Eva Malá", password=None, permission_group_id=group, kind="back_office"
        )
        create_user(work, draft)
        assert fields(changes(work, Wanted(kind="user")).rows[0])["Kind"] == ([], ["Back office"])


def test_secrets_are_neither_kept_nor_told(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        create_trunk(work, TrunkDraft(name="Way out", host="192.0.2.9", password="Trunk-5ecret!"))
        record_change(work, "trunk", 999_999, before={"auth_token": "aaaa"}, after={"auth_token": "bbbb"})
        work.session.flush()
        stored = " ".join(str(row) for row in work.session.scalars(select(Change.fields)))
        assert "Trunk-5ecret!" not in stored
        assert "aaaa" not in stored
        assert "bbbb" not in stored
        made = next(entry for entry in changes(work, Wanted(kind="trunk")).rows if entry.subject == "Way out")
        assert fields(made)["Password"] == ([], ["Not shown"])


def test_a_flag_about_a_secret_is_kept_as_it_is() -> None:
    assert differences({"must_change_password": False}, {"must_change_password": True}) == {
        "must_change_password": [False, True]
    }
    assert differences({"token": ""}, {"token": "abc"}) == {"token": ["", "new"]}


def test_what_was_deleted_keeps_the_name_it_had(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        contact = create_contact(work, ContactDraft(name="Ctirad Tkáč", database_id=cast.demo.open_database))
        delete_contact(work, contact, version=1)
        gone, made = changes(work, Wanted(kind="contact")).rows[:2]
        assert (gone.what, gone.subject, gone.exists) == ("deleted", "Ctirad Tkáč", False)
        assert (made.what, made.subject) == ("created", "Ctirad Tkáč")


# Who may read it


@pytest.mark.parametrize("name", ["boris", "vera"])
def test_without_the_permission_nothing_is_told(work_as: WorkAs, name: str) -> None:
    with work_as(name) as work:
        for question in (
            lambda: changes(work, Wanted()),
            lambda: begin_export(work, Wanted()),
            lambda: everybody(work),
        ):
            with pytest.raises(Forbidden):
                question()


@pytest.mark.attack(57)
def test_changes_of_rows_that_the_reader_does_not_see_are_not_told(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        create_things(work, cast.demo)
        create_thing_as_owner(work_as)
    with auditor(cast) as work:
        told = subjects(work, Wanted())
        assert "Jana Malá" in told
        assert "Chief" not in " ".join(told)
        assert "Law suit" not in told
        assert "Secret files" not in told
        for word in ("Chief", "suit", "Secret"):
            assert subjects(work, Wanted(text=word)) == []
    with work_as("anna") as work:
        assert {"Law suit", "Secret files"} <= set(subjects(work, Wanted()))


def create_thing_as_owner(work_as: WorkAs) -> None:
    """A database of contacts that nobody was granted."""
    with work_as("anna") as work:
        create_thing(work, Kind.DATABASE, ThingDraft(name="Secret files", everyone_sees=False))


@pytest.mark.attack(57)
def test_deleted_rows_are_told_to_those_who_see_everything(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        contact = create_contact(work, ContactDraft(name="Ctirad Tkáč", database_id=cast.demo.closed_database))
        delete_contact(work, contact, version=1)
        assert subjects(work, Wanted(kind="contact"))[:2] == ["Ctirad Tkáč"] * 2
    with auditor(cast) as work:
        assert "Ctirad Tkáč" not in subjects(work, Wanted())
        assert subjects(work, Wanted(text="Ctirad")) == []


@pytest.mark.attack(57)
def test_kinds_whose_pages_the_reader_may_not_open_are_not_told(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        create_things(work, cast.demo)
    with auditor(cast, "anna", without=Permission.CONTACTS_READ) as work:
        assert "contact" not in {entry.kind for entry in changes(work, Wanted()).rows}
        assert "Jana Malá" not in subjects(work, Wanted(text="Malá"))
        ticket = next(entry for entry in changes(work, Wanted()).rows if entry.kind == "ticket")
        assert "Jana Malá" not in str(fields(ticket))


@pytest.mark.attack(57)
def test_a_kind_that_nobody_described_is_told_to_those_who_see_everything(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        record_change(work, "brand_new_thing", 1, before={}, after={"odd_field": "odd value"})
        work.session.flush()
        entry = changes(work, Wanted()).rows[0]
        assert (entry.kind_name, fields(entry)) == ("Brand new thing", {"Odd field": ([], ["odd value"])})
    with auditor(cast) as work:
        assert "brand_new_thing" not in {entry.kind for entry in changes(work, Wanted()).rows}


@pytest.mark.attack(5)
def test_another_company_reads_nothing_of_it(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        create_user_group(work, "Night shift")
    with work_as("oleg") as work:
        assert "Night shift" not in subjects(work, Wanted())
        assert subjects(work, Wanted(text="Night")) == []
        assert subjects(work, Wanted(user_id=cast.demo.users["anna"])) == []


def test_who_read_of_whom_stands_in_the_read_log(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        contact = create_contact(work, ContactDraft(name="Ctirad Tkáč", database_id=cast.demo.open_database))
    with work_as("anna") as work:
        changes(work, Wanted(kind="contact"))
        assert contact in {row for event in work.session.scalars(select(ReadEvent)) for row in event.subject_ids}


# Finding


def test_filters_hold_alone_and_together(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        create_contact(work, ContactDraft(name="Ctirad Tkáč", database_id=cast.demo.open_database))
    with work_as("anna") as work:
        create_user_group(work, "Night shift")
        boris = cast.demo.users["boris"]
        assert subjects(work, Wanted(user_id=boris)) == ["Ctirad Tkáč"]
        assert subjects(work, Wanted(user_id=boris, kind="user_group")) == []
        assert "Ctirad Tkáč" not in subjects(work, Wanted(by_product=True))
        assert all(entry.user_id is None for entry in changes(work, Wanted(by_product=True)).rows)
        assert subjects(work, Wanted(kind="user_group"))[0] == "Night shift"


def test_days_are_from_one_moment_to_another(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        create_user_group(work, "Night shift")
        work.session.flush()
        moment = work.session.scalars(select(Change).order_by(Change.id.desc())).first()
        assert moment is not None
        at = moment.changed_at - timedelta(days=400)
        work.session.execute(update(Change).where(Change.id == moment.id).values(changed_at=at))
        assert subjects(work, Wanted(since=at, until=at + timedelta(seconds=1))) == ["Night shift"]
        assert subjects(work, Wanted(until=at)) == []
        assert subjects(work, Wanted())[-1] == "Night shift"


@pytest.mark.parametrize(
    "words", ["tkac", "TKÁČ ctirad", "cti", "601 222 333", "ctirad@customer.example", "Boris", "%", "x'y"]
)
def test_words_are_found_in_values_names_and_people(work_as: WorkAs, cast: Cast, words: str) -> None:
    with work_as("boris") as work:
        draft = ContactDraft(
            name="Ctirad Tkáč",
            database_id=cast.demo.open_database,
            note="100 % x'y",
            phones=(Reachable("+420601222333", "work"),),
            emails=(Reachable("ctirad@customer.example", "work"),),
        )
        create_contact(work, draft)
    with work_as("anna") as work:
        assert "Ctirad Tkáč" in subjects(work, Wanted(text=words))
        assert subjects(work, Wanted(text=f"{words} qqqq")) == []


def test_the_names_of_fields_are_no_words_of_a_change(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        create_user_group(work, "Night shift")
        assert subjects(work, Wanted(kind="user_group", text="parent_id")) == []


# Pages


def test_a_page_continues_where_the_last_one_ended(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        for number in range(7):
            create_user_group(work, f"Group {number}")
        found: list[int] = []
        after: ChangeKey | None = None
        while True:
            page = changes(work, Wanted(kind="user_group"), after=after, limit=3)
            found += [entry.id for entry in page.rows]
            if page.next_key is None:
                break
            after = page.next_key
        assert found == sorted(set(found), reverse=True)
        whole = changes(work, Wanted(kind="user_group"), limit=1000)
        assert found == [entry.id for entry in whole.rows]
        assert whole.next_key is None


def test_what_is_rare_is_found_behind_empty_pages(work_as: WorkAs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "LOOKED_THROUGH", 3)
    with work_as("anna") as work:
        create_user_group(work, "Needle")
        for number in range(8):
            create_user_group(work, f"Hay {number}")
        found, after, pages = [], None, 0
        while pages < 100:
            page = changes(work, Wanted(text="Needle"), after=after)
            found += [entry.subject for entry in page.rows]
            after, pages = page.next_key, pages + 1
            if after is None:
                break
        assert found == ["Needle"]
        assert pages > 3


def test_an_export_is_noted_with_what_was_asked_for(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        key = begin_export(work, Wanted(user_id=cast.demo.users["boris"], kind="contact", text="Tkáč"))
        noted = changes(work, Wanted(kind="audit_log")).rows[0]
        assert noted.id == key.change_id
        assert fields(noted) == {
            "Exported": ([], ["CSV"]),
            "Kind": ([], ["Contact"]),
            "Person": ([], ["Boris Nováková"]),
            "Words": ([], ["Tkáč"]),
        }
        assert noted.user_name == "Anna Nováková"


def test_every_kind_can_be_told_and_searched(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        create_things(work, cast.demo)
        for code in KINDS:
            record_change(work, code, 1, before={}, after={"name": f"One {code}"})
    with work_as("anna") as work:
        for code in KINDS:
            told = changes(work, Wanted(kind=code, text=f"one {code}")).rows
            assert [str(entry.kind_name) for entry in told] == [str(KINDS[code].name)]


def test_every_kind_that_is_recorded_is_described() -> None:
    recorded = {
        node.args[1].value
        for path in (ROOT / "core").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"record_change", "announce"}
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Constant)
    }
    assert len(recorded) > 10
    assert recorded - KINDS.keys() == set()
