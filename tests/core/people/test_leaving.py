"""Blocking and deleting people: every way in ends, what they looked after is passed on, in the numbers told before."""

import pytest
from sqlalchemy import func, select

from core.calls.models import Call, Device, PhoneLine
from core.directory.books.clients import add_client
from core.directory.books.entries import put_in_book
from core.directory.books.models import SyncedClient
from core.directory.books.service import BookDraft, SyncPolicy, create_book
from core.directory.drafts import ContactDraft
from core.directory.models import Contact
from core.directory.service import create_contact
from core.foundation.errors import Invalid, NotFound
from core.foundation.history import Change
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.models import KnownBrowser, PermissionGroup, SignInSession, UserAccount, UserGroupMember
from core.identity.permission_groups import GroupDraft, change_permission_group, permission_group
from core.identity.service import colleagues
from core.identity.user_groups import create_user_group, move_user_group
from core.people.accounts import add_person
from core.people.leaving import block_person, delete_person, holdings_of, unblock_person
from core.people.queries import PeopleFilter, people, person
from core.tickets.models import Ticket
from core.tickets.service import TicketDraft, TicketPatch, change_ticket, open_ticket
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.colleagues import account, changes, draft, group_called
from tests.support.dav import DavClient
from tests.support.recorded import recorded_call
from tests.support.telephony import set_up


def give_things(work: Work, cast: Cast, name: str) -> None:
    """An open ticket, a closed one that only the owner sees, and a contact, all of this person."""
    user_id = cast.demo.users[name]
    for title, category, status in (
        ("Printer", cast.demo.open_category, "open"),
        ("Law suit", cast.demo.closed_category, "closed"),
    ):
        ticket = open_ticket(work, TicketDraft(title=title, category_id=category))
        row = work.session.get_one(Ticket, ticket.id)
        change_ticket(work, ticket.id, TicketPatch(owner_id=user_id, status=status), version=row.version)
    create_contact(work, ContactDraft(name="Jana Malá", database_id=cast.demo.open_database, owner_id=user_id))


def test_what_follows_is_counted_over_the_whole_company(work_as: WorkAs, cast: Cast, client_as: ClientAs) -> None:
    client_as("boris")
    with work_as("anna") as work:
        give_things(work, cast, "boris")
        set_up(work, cast.demo)
    with work_as("boris") as work:
        add_client(work, "iPhone")
    with work_as("anna") as work:
        found = holdings_of(work, cast.demo.users["boris"])
        assert (found.sessions, found.line_number, found.devices, found.devices_on) == (1, "101", 1, 1)
        assert (found.numbers, found.clients) == (1, 1)
        assert (found.tickets, found.open_tickets, found.contacts, found.companies) == (2, 1, 1, 0)


# Blocking


def test_a_blocked_user_is_refused_everywhere_but_the_phone_rings_on(
    work_as: WorkAs, cast: Cast, client_as: ClientAs
) -> None:
    boris, user_id = client_as("boris"), cast.demo.users["boris"]
    with work_as("anna") as work:
        telephony = set_up(work, cast.demo)
    with work_as("boris") as work:
        made = add_client(work, "iPhone")
    phone = DavClient(made.username, made.password)
    assert phone.ask("PROPFIND", f"/dav/{made.username}/").status == 207
    assert boris.get("/contacts/").status_code == 200
    with work_as("anna") as work:
        block_person(work, user_id)
        assert changes(work, user_id)[-2:] == [{"is_blocked": [False, True]}, {"sessions": [1, 0]}]
        assert work.session.get_one(Device, telephony.phones["101"].id).is_enabled
        assert person(work, user_id).row.state == "blocked"
        assert user_id not in {one.id for one in colleagues(work)}
    assert boris.get("/contacts/").status_code == 303
    assert phone.ask("PROPFIND", f"/dav/{made.username}/").status == 401
    with work_as("anna") as work:
        unblock_person(work, user_id)
        assert person(work, user_id).row.state == "active"
    assert boris.get("/contacts/").status_code == 303  # sessions that ended do not come back
    assert phone.ask("PROPFIND", f"/dav/{made.username}/").status == 207


def test_phones_are_switched_off_too_if_one_says_so(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        telephony = set_up(work, cast.demo)
        block_person(work, cast.demo.users["boris"], phones_too=True)
        assert not work.session.get_one(Device, telephony.phones["101"].id).is_enabled
        assert work.session.get_one(Device, telephony.phones["102"].id).is_enabled


# Deleting


def test_a_deleted_user_loses_everything_but_their_name(work_as: WorkAs, cast: Cast, client_as: ClientAs) -> None:
    boris, user_id = client_as("boris"), cast.demo.users["boris"]
    with work_as("anna") as work:
        give_things(work, cast, "boris")
        telephony = set_up(work, cast.demo)
        recorded_call(work, telephony)
        calls = work.session.scalar(select(func.count(Call.id)))
        delete_person(work, user_id, successor_id=cast.demo.users["vera"])
        gone = account(work, user_id)
        assert (gone.name, gone.password_hash) == ("Boris Nováková", None)
        assert gone.permission_group_id not in set(work.session.scalars(select(PermissionGroup.id)))
        assert (gone.business_number, gone.sms_sender, gone.is_blocked) == ("", "", True)
        for table in (PhoneLine, SignInSession, UserGroupMember, KnownBrowser):
            assert work.session.scalar(select(func.count(table.id)).where(table.user_id == user_id)) == 0
        assert work.session.get(Device, telephony.phones["101"].id, populate_existing=True) is None
        assert work.session.scalar(select(func.count(Call.id))) == calls
        with pytest.raises(NotFound):
            person(work, user_id)
        assert user_id not in {row.id for row in people(work, PeopleFilter()).rows}
        add_person(work, draft(work, email="boris@demo.localhost"))  # the address is free again
        assert changes(work, user_id)[-1]["email"] == ["boris@demo.localhost", None]
    assert boris.get("/contacts/").status_code == 303


def test_what_a_deleted_user_looked_after_passes_on_with_its_history(work_as: WorkAs, cast: Cast) -> None:
    user_id, vera = cast.demo.users["boris"], cast.demo.users["vera"]
    with work_as("anna") as work:
        give_things(work, cast, "boris")
        mine = select(Ticket.id).where(Ticket.owner_id == user_id)
        tickets = list(work.session.scalars(mine))
        delete_person(work, user_id, successor_id=vera)
        for model in (Ticket, Contact):
            assert work.session.scalar(select(func.count(model.id)).where(model.owner_id == user_id)) == 0
        found = work.session.scalars(
            select(Ticket).where(Ticket.id.in_(tickets)).execution_options(populate_existing=True)
        )
        assert {ticket.owner_id for ticket in found} == {vera}
        told = select(Change.fields).where(Change.subject_kind == "ticket", Change.subject_id.in_(tickets))
        assert {"owner_id": [user_id, vera]} in list(work.session.scalars(told))


def test_without_a_successor_nobody_has_it(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        give_things(work, cast, "boris")
        delete_person(work, cast.demo.users["boris"])
        assert work.session.scalar(select(func.count(Ticket.id)).where(Ticket.owner_id.is_not(None))) == 0


@pytest.mark.attack(2)
def test_a_successor_is_a_colleague_who_is_here(work_as: WorkAs, cast: Cast) -> None:
    boris = cast.demo.users["boris"]
    with work_as("anna") as work:
        block_person(work, cast.demo.users["vera"])
        for wrong in (boris, cast.demo.users["vera"], cast.other.users["oleg"], 2**40):
            with pytest.raises(Invalid):
                delete_person(work, boris, successor_id=wrong)
        assert person(work, boris).row.state == "active"


def test_a_deleted_users_phone_is_emptied_then_refused(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        book = create_book(
            work,
            BookDraft(
                name="Partners",
                database_id=cast.demo.open_database,
                everyone_sees=True,
                sync_policy=SyncPolicy.PHONE_BOOK,
            ),
        )
        contact = create_contact(work, ContactDraft(name="Jana Malá", database_id=cast.demo.open_database))
        put_in_book(work, book, [contact])
    with work_as("boris") as work:
        made = add_client(work, "iPhone")
    phone = DavClient(made.username, made.password, str(book))
    first = phone.sync()
    assert len(first.rows()) == 1
    with work_as("anna") as work:
        delete_person(work, cast.demo.users["boris"])
        assert work.session.get_one(SyncedClient, made.id, populate_existing=True).state == "wiping"
    wiped = phone.sync(first.token)
    assert [etag for etag in wiped.rows().values() if etag is not None] == []
    assert phone.sync(wiped.token).status in {207, 401}
    assert phone.put("new.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:X\r\nN:X;;;;\r\nEND:VCARD\r\n").status in {401, 403}
    with work_as("system") as work:
        assert work.session.get_one(SyncedClient, made.id, populate_existing=True).state != "active"


def test_the_tree_of_groups_can_be_changed_after_somebody_left(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        delete_person(work, cast.demo.users["boris"])
        group = create_user_group(work, "Sales")
        move_user_group(work, group, parent_id=None)
        work.session.execute(select(func.count(UserAccount.id)))


def test_a_deleted_user_is_put_into_no_group(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        delete_person(work, cast.demo.users["boris"])
        group = permission_group(work, group_called(work, "Readers"))
        wanted = GroupDraft(name=group.name, permissions=group.permissions, users=frozenset({cast.demo.users["boris"]}))
        with pytest.raises(Invalid, match="There is no such user"):
            change_permission_group(work, group.id, wanted)


def test_a_deletion_is_committed(committed: Cast) -> None:
    """The checks that wait for the end of the transaction have nothing against it."""
    with unit_of_work(committed.actor("anna")) as work:
        delete_person(work, committed.demo.users["boris"])
    with unit_of_work(committed.actor("anna")) as work:
        assert account(work, committed.demo.users["boris"]).deleted_at is not None
        add_person(work, draft(work, permission_group_id=group_called(work, "Readers")))
