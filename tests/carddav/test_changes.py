"""Edits from both sides, withdrawal, wiping, and what the ledger says of them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from core.directory.books.clients import ClientRow, add_client, holders_of_contact, my_clients, revoke_client
from core.directory.books.entries import put_in_book, withdraw_from_book
from core.directory.books.service import BookDraft, SyncPolicy, create_book
from core.directory.queries import contact_detail, list_contacts
from core.directory.service import ContactDraft, Reachable, change_contact, delete_contact
from core.foundation.unit_of_work import Work
from tests.carddav.conftest import Dav
from tests.support.dav import client_of


def the_contact(work: Work) -> int:
    """The only contact."""
    (row,) = list_contacts(work).rows
    return row.id


def draft_of(work: Work, **changes: object) -> tuple[int, ContactDraft, int]:
    """The only contact's id, draft with changes, and version."""
    detail = contact_detail(work, the_contact(work))
    draft = ContactDraft(
        name=detail.name,
        database_id=detail.database_id,
        company_id=detail.company_id,
        job_title=detail.job_title,
        note=detail.note,
        phones=tuple(Reachable(way.value, way.label) for way in detail.phones),
        emails=tuple(Reachable(way.value, way.label) for way in detail.emails),
    )
    return detail.id, replace(draft, **changes), detail.version  # type: ignore[arg-type]


def edit(dav: Dav, **changes: object) -> None:
    """Anna changes the only contact in the web app."""
    with dav.work_as("anna") as work:
        contact, draft, version = draft_of(work, **changes)
        change_contact(work, contact, draft, version=version)


@pytest.mark.covers("GD-6")
def test_a_phones_card_becomes_a_contact(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    with dav.work_as("anna") as work:
        detail = contact_detail(work, the_contact(work))
        assert (detail.name, detail.company_name, detail.note) == ("Jana Malá", "Acme s.r.o.", "one, two; three")
        assert [(way.value, way.label) for way in detail.phones] == [("+420601123456", "mobile")]
        assert detail.changes[0].door == "dav"


@pytest.mark.covers("GD-6")
def test_an_edit_in_the_web_changes_only_its_lines(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    token = dav.boris.sync().token
    edit(dav, name="Jana Velká", note="later")
    assert list(dav.boris.sync(token).rows()) == ["jana.vcf"]
    expected = (
        card.replace("FN:Jana Malá", "FN:Jana Velká")
        .replace("N:Malá;Jana", "N:Velká;Jana")
        .replace("NOTE:one, two; three", "NOTE:later")
    )
    assert dav.boris.get("jana.vcf").text == expected


def test_an_edit_on_the_phone_changes_the_contact(dav: Dav, card: str) -> None:
    etag = dav.boris.put("jana.vcf", card).headers["ETag"]
    changed = card.replace("601 123 456", "602 123 456").replace("NOTE:one, two; three", "TITLE:Buyer\r\nNOTE:x")
    assert dav.boris.put("jana.vcf", changed, If_Match=etag).status == 204
    with dav.work_as("anna") as work:
        detail = contact_detail(work, the_contact(work))
        assert [way.value for way in detail.phones] == ["+420602123456"]
        assert (detail.job_title, detail.note) == ("Buyer", "x")


def test_edits_on_both_sides_are_merged(dav: Dav, card: str) -> None:
    """Thunderbird sends no If-Match: what it was last handed is the base."""
    dav.boris.put("jana.vcf", card)
    edit(dav, name="Jana Velká")
    answer = dav.boris.put("jana.vcf", card.replace("601 123 456", "602 123 456").replace("X-SPIN:7", "X-SPIN:8"))
    assert answer.status == 204
    assert "ETag" not in answer.headers
    served = dav.boris.get("jana.vcf").text
    assert "FN:Jana Velká" in served
    assert "602 123 456" in served
    assert "X-SPIN:8" in served
    with dav.work_as("anna") as work:
        detail = contact_detail(work, the_contact(work))
        assert (detail.name, [way.value for way in detail.phones]) == ("Jana Velká", ["+420602123456"])


def test_a_client_that_sends_its_merged_edit_twice_undoes_nothing(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    edit(dav, name="Jana Velká")
    sent = card.replace("601 123 456", "602 123 456")
    dav.boris.put("jana.vcf", sent)
    dav.boris.put("jana.vcf", sent.replace("X-SPIN:7", "X-SPIN:9"))
    served = dav.boris.get("jana.vcf").text
    assert "FN:Jana Velká" in served
    assert "X-SPIN:9" in served


def test_looking_at_properties_hands_nothing_out(dav: Dav, card: str) -> None:
    """The ledger would name a phone that holds nothing, and the next upload would be merged from a card never seen."""
    dav.boris.put("jana.vcf", card)
    edit(dav, name="Jana Velká")
    dav.boris.propfind(dav.boris.base, "D:getetag", "D:getlastmodified", depth="1")
    dav.vera.propfind(dav.vera.base, "D:getetag", "D:getlastmodified", depth="1")
    dav.boris.put("jana.vcf", card.replace("X-SPIN:7", "X-SPIN:8"))
    assert "FN:Jana Velká" in dav.boris.get("jana.vcf").text
    with dav.work_as("anna") as work:
        holders = holders_of_contact(work, the_contact(work))
    assert [holder.client_name for holder in holders] == ["boris's phone"]


def test_where_both_changed_the_same_the_phone_wins_and_history_keeps_the_other(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    edit(dav, note="from the web")
    dav.boris.put("jana.vcf", card.replace("NOTE:one, two; three", "NOTE:from the phone"))
    with dav.work_as("anna") as work:
        detail = contact_detail(work, the_contact(work))
        assert detail.note == "from the phone"
        notes = [change for entry in detail.changes for change in entry.fields if change.field == "note"]
        assert any(way.value == "from the web" for change in notes for way in change.before)


def test_a_stale_etag_is_refused_and_nothing_changes(dav: Dav, card: str) -> None:
    old = dav.boris.put("jana.vcf", card).headers["ETag"]
    edit(dav, note="later")
    served = dav.boris.get("jana.vcf").text
    assert dav.boris.put("jana.vcf", card, If_Match=old).status == 412
    assert dav.boris.put("jana.vcf", card, If_None_Match="*").status == 412
    assert dav.boris.ask("DELETE", f"{dav.boris.base}jana.vcf", If_Match=old).status == 412
    assert dav.boris.get("jana.vcf").text == served


def test_of_twelve_clients_one_writes(committed_dav: Dav, card: str) -> None:
    etag = committed_dav.boris.put("jana.vcf", card).headers["ETag"]

    def write(number: int) -> int:
        return committed_dav.boris.put(
            "jana.vcf", card.replace("X-SPIN:7", f"X-SPIN:{number + 100}"), If_Match=etag
        ).status

    with ThreadPoolExecutor(12) as threads:
        statuses = sorted(threads.map(write, range(12)))
    assert statuses == [204] + [412] * 11
    assert committed_dav.boris.get("jana.vcf").text.count("X-SPIN:1") == 1


def test_of_twelve_clients_one_creates(committed_dav: Dav, card: str) -> None:
    def write(number: int) -> int:
        return committed_dav.boris.put(
            "jana.vcf", card.replace("X-SPIN:7", f"X-SPIN:{number}"), If_None_Match="*"
        ).status

    with ThreadPoolExecutor(12) as threads:
        statuses = sorted(threads.map(write, range(12)))
    assert statuses == [201] + [412] * 11
    with committed_dav.work_as("anna") as work:
        the_contact(work)


@pytest.mark.covers("GD-11")
def test_a_card_deleted_on_a_phone_stays_a_contact(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    token = dav.anna.sync().token
    assert dav.boris.ask("DELETE", f"{dav.boris.base}jana.vcf").status == 204
    assert dav.anna.sync(token).rows() == {"jana.vcf": None}
    with dav.work_as("anna") as work:
        assert contact_detail(work, the_contact(work)).name == "Jana Malá"


@pytest.mark.covers("GD-12", "GD-18", "GD-19")
def test_a_withdrawn_contact_goes_at_the_next_sync_and_the_ledger_says_how_far(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    token = dav.anna.sync(with_data=True).token
    with dav.work_as("anna") as work:
        contact = the_contact(work)
        withdraw_from_book(work, dav.book, [contact])
    assert stages(dav, contact) == {"boris's phone": "pending", "anna's phone": "pending"}
    served = dav.anna.sync(token)
    assert served.rows() == {"jana.vcf": None}
    assert stages(dav, contact)["anna's phone"] == "served"
    dav.anna.sync(served.token)
    assert stages(dav, contact) == {"boris's phone": "pending", "anna's phone": "confirmed"}


def stages(dav: Dav, contact: int) -> dict[str, str | None]:
    """How far the removal came on each client."""
    with dav.work_as("anna") as work:
        return {holder.client_name: holder.withdrawn for holder in holders_of_contact(work, contact)}


@pytest.mark.covers("GD-12")
def test_a_deleted_contact_goes_from_every_phone_and_leaves_no_card(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    token = dav.boris.sync().token
    with dav.work_as("anna") as work:
        contact, _draft, version = draft_of(work)
        delete_contact(work, contact, version=version)
    assert dav.boris.sync(token).rows() == {"jana.vcf": None}
    assert dav.boris.get("jana.vcf").status == 404


@pytest.mark.covers("GD-18")
def test_a_revoked_client_is_wiped_then_refused(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    token = dav.boris.sync(with_data=True).token
    tag = dav.boris.propfind(dav.boris.base, "CS:getctag").text
    with dav.work_as("boris") as work:
        assert revoke_client(work, dav.client_ids["boris"]) == "wiping"
    assert dav.boris.propfind(dav.boris.base, "CS:getctag").text != tag
    assert dav.boris.put("jana.vcf", card).status == 403
    assert dav.boris.get("jana.vcf").status == 404
    listed = dav.boris.propfind(dav.boris.base, "D:getetag", depth="1")
    assert "jana.vcf" not in listed.rows()
    wiped = dav.boris.sync(token)
    assert wiped.rows() == {"jana.vcf": None}
    state = the_client(dav)
    assert (state.state, state.wipe_served_at is not None, state.wipe_confirmed_at) == ("wiping", True, None)
    assert dav.boris.sync(wiped.token).status == 401
    assert the_client(dav).state == "revoked"
    assert the_client(dav).wipe_confirmed_at is not None
    assert dav.boris.sync().status == 401
    assert dav.anna.sync().rows().keys() == {"jana.vcf"}


def the_client(dav: Dav) -> ClientRow:
    """Boris's phone as its owner sees it."""
    with dav.work_as("boris") as work:
        return my_clients(work)[0]


def test_a_client_that_was_never_seen_is_revoked_at_once(dav: Dav) -> None:
    with dav.work_as("boris") as work:
        assert revoke_client(work, dav.client_ids["boris"]) == "revoked"
    assert dav.boris.sync().status == 401


def test_a_client_that_never_comes_back_can_be_cut_off(dav: Dav) -> None:
    dav.boris.sync()
    with dav.work_as("boris") as work:
        revoke_client(work, dav.client_ids["boris"])
        assert revoke_client(work, dav.client_ids["boris"]) == "revoked"
    assert dav.boris.sync().status == 401
    assert the_client(dav).wipe_confirmed_at is None


def test_a_contact_changed_by_somebody_who_does_not_see_the_book_reaches_its_phones(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    with dav.work_as("anna") as work:
        draft = BookDraft(name="Board", database_id=dav.cast.demo.open_database, sync_policy=SyncPolicy.PHONE_BOOK)
        board = create_book(work, draft)
        put_in_book(work, board, [the_contact(work)])
        phone = client_of(add_client(work, "Board phone"), board)
    token = phone.sync().token
    dav.boris.put("jana.vcf", card.replace("NOTE:one, two; three", "NOTE:new"))
    changed = phone.sync(token, with_data=True)
    assert len(changed.rows()) == 1
    assert "NOTE:new" in changed.text
