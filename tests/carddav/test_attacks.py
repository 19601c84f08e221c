"""Attacks on the address books (ATTACKS 44 to 46, 54, 56, 57)."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, update

from core.directory.books.clients import add_client, all_clients, revoke_client
from core.directory.books.entries import put_in_book
from core.directory.drafts import ContactDraft
from core.directory.models import ContactDatabase
from core.directory.service import create_contact
from core.foundation.errors import Forbidden, NotFound
from core.foundation.unit_of_work import unit_of_work
from core.identity.attempts import ATTEMPTS_PER_ACCOUNT
from core.identity.models import PermissionGrant, UserAccount
from tests.carddav.conftest import Dav
from tests.support.dav import DavClient, client_of

BOMB = (
    '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>'
    '<D:propfind xmlns:D="DAV:"><D:prop><D:displayname/></D:prop>&c;</D:propfind>'
)
EXTERNAL = (
    '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    '<D:propfind xmlns:D="DAV:"><D:prop><D:displayname/></D:prop>&x;</D:propfind>'
)
REMOTE = '<!DOCTYPE d SYSTEM "http://127.0.0.1:9/d.dtd"><D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>'


@pytest.mark.attack(44)
@pytest.mark.parametrize("body", [BOMB, EXTERNAL, REMOTE], ids=["bomb", "external", "remote"])
@pytest.mark.parametrize("method", ["PROPFIND", "REPORT"])
def test_entities_are_refused(dav: Dav, method: str, body: str) -> None:
    answer = dav.boris.ask(method, dav.boris.base, body, Depth="0")
    assert answer.status == 400
    assert "root:" not in answer.text


@pytest.mark.attack(45)
@pytest.mark.parametrize("name", ["../1/jana.vcf", "..", ".", "a/b.vcf", "a//b.vcf", "\0.vcf", "../../../etc/passwd"])
def test_an_address_leads_nowhere_else(dav: Dav, card: str, name: str) -> None:
    for method in ("GET", "PUT", "DELETE", "PROPFIND"):
        assert dav.boris.ask(method, dav.boris.base + name, card if method == "PUT" else "").status == 404
    assert dav.boris.sync().rows() == {}


@pytest.mark.attack(45)
@pytest.mark.parametrize("user", [".*", "%", "*", "_" * 27, "", "..", "admin"])
def test_a_user_name_is_no_pattern(dav: Dav, user: str) -> None:
    assert replace(dav.boris, username=user).propfind("/dav/", "D:displayname").status == 401
    path = f"/dav/{user}/{dav.book}/" if user else "/dav//1/"
    assert dav.boris.propfind(path, "D:displayname").status == 404


@pytest.mark.attack(1)
@pytest.mark.attack(45)
def test_another_companys_book_is_not_there(dav: Dav) -> None:
    with unit_of_work(dav.cast.actor("oleg")) as work:
        oleg = client_of(add_client(work, "Oleg's phone"), dav.book)
    assert oleg.sync().status == 404
    assert oleg.put("a.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nEND:VCARD\r\n").status == 404
    with unit_of_work(dav.cast.actor("oleg")) as work:
        with pytest.raises(NotFound):
            revoke_client(work, dav.client_ids["boris"])
        assert [client.name for client in all_clients(work)] == ["Oleg's phone"]


@pytest.mark.attack(46)
def test_guessing_is_throttled_by_account(dav: Dav) -> None:
    for _guess in range(ATTEMPTS_PER_ACCOUNT):
        assert replace(dav.boris, password="wrong").sync().status == 401
    answer = dav.boris.sync()
    assert answer.status == 429
    assert answer.headers["Retry-After"]
    assert dav.anna.sync().status == 207


@pytest.mark.attack(46)
def test_guessing_is_throttled_by_address(dav: Dav, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.directory.books.visits.ATTEMPTS_PER_ADDRESS", 3)
    realm = dav.boris.username.partition("-")[0]
    for guess in range(3):
        guesser = DavClient(f"{realm}-{guess:010d}", "x", address="10.0.0.9")
        assert guesser.propfind("/dav/", "D:displayname").status == 401
    assert replace(dav.boris, address="10.0.0.9").sync().status == 429
    assert dav.boris.sync().status == 207


@pytest.mark.attack(54)
def test_a_blocked_user_is_refused_at_the_next_request(dav: Dav) -> None:
    assert dav.boris.sync().status == 207
    with dav.work_as("anna") as work:
        blocked = update(UserAccount).where(UserAccount.id == dav.cast.demo.users["boris"]).values(is_blocked=True)
        work.session.execute(blocked)
    assert dav.boris.sync().status == 401


@pytest.mark.attack(56)
def test_a_reader_cannot_write_and_gets_the_servers_card_again(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    told = dav.vera.sync()
    assert dav.vera.put("jana.vcf", card.replace("Jana", "Hana")).status == 403
    again = dav.vera.sync(told.token)
    assert list(again.rows()) == ["jana.vcf"]
    assert dav.vera.get("jana.vcf").text == card
    assert dav.vera.ask("DELETE", f"{dav.vera.base}jana.vcf").status == 403
    assert dav.vera.put("new.vcf", card).status == 403
    assert list(dav.vera.sync().rows()) == ["jana.vcf"]


@pytest.mark.attack(56)
def test_a_reader_is_told_so(dav: Dav) -> None:
    told = dav.vera.propfind(dav.vera.base, "D:current-user-privilege-set").text
    assert "read" in told
    assert "write" not in told


@pytest.mark.attack(57)
@pytest.mark.covers("P-3", "GD-8")
def test_a_contact_of_a_closed_database_is_nowhere_in_the_phone(dav: Dav) -> None:
    with dav.work_as("anna") as work:
        draft = ContactDraft(name="Board Member", database_id=dav.cast.demo.closed_database)
        put_in_book(work, dav.book, [create_contact(work, draft)])
    everybody = '<C:prop-filter name="FN"><C:text-match>board</C:text-match></C:prop-filter>'
    assert len(dav.anna.sync().rows()) == 1
    hidden = next(iter(dav.anna.sync().rows()))
    for answer in (
        dav.boris.sync(with_data=True),
        dav.boris.query(everybody),
        dav.boris.query('<C:prop-filter name="FN"/>'),
        dav.boris.propfind(dav.boris.base, "D:getetag", depth="1"),
        dav.boris.propfind(dav.boris.base, "D:getetag", "D:getcontentlength", depth="1"),
        dav.boris.multiget(hidden),
        dav.boris.get(hidden),
        dav.boris.ask("GET", dav.boris.base),
        replace(dav.boris, collection="all").sync(with_data=True),
    ):
        assert "Board" not in answer.text
        assert '"' not in answer.text or hidden not in answer.text or "404" in answer.text


@pytest.mark.attack(57)
def test_a_contact_whose_database_is_closed_goes_from_the_phone(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    token = dav.boris.sync(with_data=True).token
    with dav.work_as("anna") as work:
        closed = update(ContactDatabase).where(ContactDatabase.id == dav.cast.demo.open_database)
        work.session.execute(closed.values(everyone_sees=False))
    assert dav.boris.sync(token).rows() == {"jana.vcf": None}


def test_a_colleague_cannot_revoke_ones_phone(dav: Dav) -> None:
    with dav.work_as("boris") as work:
        with pytest.raises(NotFound):
            revoke_client(work, dav.client_ids["anna"])
        with pytest.raises(Forbidden):
            all_clients(work)


def test_a_user_who_may_not_read_contacts_has_no_books(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    with dav.work_as("anna") as work:
        work.session.execute(delete(PermissionGrant).where(PermissionGrant.permission == "contacts.read"))
    assert dav.boris.sync().status == 404
