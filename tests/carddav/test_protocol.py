"""What clients ask every day: discovery, listings, changes, cards, queries."""

from collections.abc import Callable

import pytest

from core.directory.books.entries import put_in_book, withdraw_from_book
from core.directory.books.service import BookDraft, BookGrant, SyncPolicy, change_book, create_book
from core.directory.queries import list_contacts
from core.identity.user_groups import create_user_group
from tests.carddav.conftest import Dav
from tests.support.dav import CR, D, DavAnswer, DavClient
from tests.support.statements import counted_statements


def test_the_well_known_address_leads_to_the_server(dav: Dav) -> None:
    answer = DavClient("", "").ask("GET", "/.well-known/carddav")
    assert (answer.status, answer.headers["Location"]) == (301, "/dav/")


@pytest.mark.parametrize("path", ["/", "/dav/", "/dav"])
@pytest.mark.covers("GD-7")
def test_a_client_finds_its_books_from_the_address_alone(dav: Dav, path: str) -> None:
    principal = dav.boris.propfind(path, "D:current-user-principal").tree.findtext(
        f".//{D}current-user-principal/{D}href"
    )
    assert principal == f"/dav/{dav.boris.username}/"
    home = dav.boris.propfind(principal, "C:addressbook-home-set").tree.findtext(f".//{CR}addressbook-home-set/{D}href")
    assert home == principal
    listed = dav.boris.propfind(home, "D:resourcetype", "D:displayname", depth="1").tree
    books = [row for row in listed if row.find(f".//{CR}addressbook") is not None]
    assert [row.findtext(f".//{D}displayname") for row in books] == ["Close collaborators"]
    assert books[0].findtext(f"{D}href") == dav.boris.base


def test_nobody_gets_in_without_a_password(dav: Dav) -> None:
    answer = DavClient(dav.boris.username, "").propfind("/dav/", "D:displayname")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_what_the_server_can_do_is_told_to_everybody(dav: Dav) -> None:
    answer = DavClient("", "").ask("OPTIONS", "/dav/")
    assert answer.status == 200
    assert "addressbook" in answer.headers["DAV"]


def test_a_card_comes_back_byte_for_byte(dav: Dav, card: str) -> None:
    stored = dav.boris.put("jana.vcf", card, If_None_Match="*")
    assert stored.status == 201
    assert dav.boris.get("jana.vcf").body == card.encode()
    assert dav.boris.get("jana.vcf").headers["ETag"] == stored.headers["ETag"]
    assert dav.boris.multiget("jana.vcf").tree.findtext(f".//{CR}address-data") == card


def test_what_phones_do_all_the_time_takes_few_statements(dav: Dav, card: str) -> None:
    """A request's time is its statements: a new one is to be missed, not slipped in."""
    dav.boris.put("jana.vcf", card)
    requests: dict[str, tuple[Callable[[], DavAnswer], int]] = {
        "a new card": (lambda: dav.boris.put("new.vcf", card.replace("jana-1", "jana-2"), If_None_Match="*"), 5),
        "a changed card": (lambda: dav.boris.put("jana.vcf", card.replace("X-SPIN:7", "TITLE:Buyer")), 5),
        "a card": (lambda: dav.boris.get("jana.vcf"), 2),
        "named cards": (lambda: dav.boris.multiget("jana.vcf", "new.vcf"), 2),
        "what changed": (dav.boris.sync, 3),
    }
    for name, (ask, most) in requests.items():
        with counted_statements() as sent:
            assert ask().status < 300
        assert len(sent) <= most, f"{name}: {sent}"


@pytest.mark.parametrize("href", ["jana mala.vcf", "já.vcf", "a&b<c>.vcf", "100%.vcf"])
def test_a_client_names_its_cards_as_it_likes(dav: Dav, card: str, href: str) -> None:
    assert dav.boris.put(href, card).status == 201
    address = next(iter(dav.boris.sync().rows()))
    told = dav.boris.report(
        f'<C:addressbook-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:prop><C:address-data/>'
        f"</D:prop><D:href>{dav.boris.base}{address}</D:href></C:addressbook-multiget>"
    )
    assert told.tree.findtext(f".//{CR}address-data") == card


@pytest.mark.parametrize("props", [("D:getetag",), ("D:getetag", "D:displayname"), ("D:getetag", "D:getlastmodified")])
def test_a_listing_tells_every_card_whatever_is_asked(dav: Dav, card: str, props: tuple[str, ...]) -> None:
    etag = dav.boris.put("jana.vcf", card).headers["ETag"]
    answer = dav.boris.propfind(dav.boris.base, *props, depth="1")
    assert answer.status == 207
    assert answer.rows()["jana.vcf"] == etag


def test_everything_about_a_book_can_be_asked(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    answer = dav.boris.ask("PROPFIND", dav.boris.base, Depth="1")
    assert answer.status == 207
    assert answer.tree.findtext(f".//{D}displayname") == "Close collaborators"


def test_an_unknown_property_is_told_as_missing(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    body = (
        '<D:sync-collection xmlns:D="DAV:" xmlns:X="urn:x"><D:sync-token/><D:sync-level>1</D:sync-level>'
        "<D:prop><D:getetag/><X:color/></D:prop></D:sync-collection>"
    )
    row = dav.boris.report(body).tree.find(f"{D}response")
    assert row is not None
    statuses = [status.text for status in row.iter(f"{D}status")]
    assert statuses == ["HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found"]


def test_changes_are_told_once(dav: Dav, card: str) -> None:
    first = dav.boris.sync()
    dav.boris.put("jana.vcf", card)
    second = dav.boris.sync(first.token)
    assert list(second.rows()) == ["jana.vcf"]
    assert dav.boris.sync(second.token).rows() == {}


def test_a_sync_can_bring_the_cards_along(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    assert dav.boris.sync(with_data=True).tree.findtext(f".//{CR}address-data") == card


def test_the_change_tag_moves_with_each_change_and_only_then(dav: Dav, card: str) -> None:
    def tag() -> str | None:
        tree = dav.boris.propfind(dav.boris.base, "CS:getctag").tree
        return tree.findtext(".//{http://calendarserver.org/ns/}getctag")

    before = tag()
    assert tag() == before
    dav.boris.put("jana.vcf", card)
    assert tag() != before


@pytest.mark.parametrize(
    ("name", "match", "text", "found"),
    [
        ("FN", "contains", "MALÁ", True),
        ("FN", "starts-with", "jana", True),
        ("FN", "ends-with", "jana", False),
        ("FN", "equals", "jana malá", True),
        ("EMAIL", "contains", "jana@acme", True),
        ("EMAIL", "equals", "jana@acme", False),
        ("N", "contains", "Malá;Jana", True),
        ("CATEGORIES", "contains", "Prague", True),
        ("X-SPIN", "contains", "7", True),
        ("TEL", "contains", "12", True),
        ("NICKNAME", "contains", "jana", False),
    ],
)
def test_a_query_finds_by_any_property(dav: Dav, card: str, name: str, match: str, text: str, found: bool) -> None:
    dav.boris.put("jana.vcf", card)
    answer = dav.boris.query(
        f'<C:prop-filter name="{name}"><C:text-match match-type="{match}">{text}</C:text-match></C:prop-filter>'
    )
    assert bool(answer.rows()) == found


def test_a_query_combines_its_filters(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    named = '<C:prop-filter name="FN"><C:text-match>jana</C:text-match></C:prop-filter>'
    nobody = '<C:prop-filter name="FN"><C:text-match>petr</C:text-match></C:prop-filter>'
    assert dav.boris.query(named + nobody).rows()
    assert not dav.boris.query(named + nobody, test="allof").rows()
    absent = '<C:prop-filter name="NICKNAME"><C:is-not-defined/></C:prop-filter>'
    assert dav.boris.query(named + absent, test="allof").rows()
    negated = '<C:prop-filter name="FN"><C:text-match negate-condition="yes">petr</C:text-match></C:prop-filter>'
    assert dav.boris.query(negated).rows()
    param = (
        '<C:prop-filter name="TEL"><C:param-filter name="TYPE"><C:text-match>cell</C:text-match></C:param-filter>'
        "</C:prop-filter>"
    )
    assert dav.boris.query(param).rows()


def test_a_query_stops_at_the_clients_limit(dav: Dav, card: str) -> None:
    for number in range(3):
        dav.boris.put(f"{number}.vcf", card.replace("jana-1", f"jana-{number}"))
    everybody = '<C:prop-filter name="FN"/>'
    answer = dav.boris.query(everybody, tail="<C:limit><C:nresults>2</C:nresults></C:limit>")
    assert answer.text.count("BEGIN:VCARD") == 2
    assert "507" in answer.text


def test_an_unknown_collation_is_refused_by_its_name(dav: Dav) -> None:
    odd = '<C:prop-filter name="FN"><C:text-match collation="i;klingon">x</C:text-match></C:prop-filter>'
    dav.boris.put("a.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nN:A;;;;\r\nEND:VCARD\r\n")
    answer = dav.boris.query(odd)
    assert answer.status == 403
    assert "supported-collation" in answer.text


@pytest.mark.covers("GD-17", "P-3")
def test_only_books_for_phones_stand_in_a_phone(dav: Dav) -> None:
    with dav.work_as("anna") as work:
        group = create_user_group(work, "Field")
        database = dav.cast.demo.open_database
        create_book(work, BookDraft(name="App", database_id=database, everyone_sees=True))
        create_book(
            work,
            BookDraft(name="Granted", database_id=database, grants=(BookGrant(group, SyncPolicy.PHONE_BOOK),)),
        )
    home = dav.boris.propfind(f"/dav/{dav.boris.username}/", "D:displayname", depth="1")
    names = {element.text for element in home.tree.iter(f"{D}displayname")} - {None}
    assert names == {"Close collaborators"}


@pytest.mark.covers("GD-14")
def test_a_book_withdrawn_from_phones_is_gone_at_once(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    with dav.work_as("anna") as work:
        draft = BookDraft(name="Close collaborators", database_id=dav.cast.demo.open_database, everyone_sees=True)
        change_book(work, dav.book, draft)
    assert dav.boris.get("jana.vcf").status == 404
    assert dav.boris.sync().status == 404


def test_the_merged_book_shows_a_contact_of_two_books_once(dav: Dav, card: str) -> None:
    dav.boris.put("jana.vcf", card)
    with dav.work_as("anna") as work:
        second = create_book(
            work,
            BookDraft(
                name="Second",
                database_id=dav.cast.demo.open_database,
                everyone_sees=True,
                sync_policy=SyncPolicy.PHONE_BOOK,
            ),
        )
        contact = list_contacts(work).rows[0].id
        put_in_book(work, second, [contact])
    merged = DavClient(dav.boris.username, dav.boris.password, "all")
    first = merged.sync()
    assert list(first.rows()) == [f"{dav.book}-jana.vcf"]
    with dav.work_as("anna") as work:
        withdraw_from_book(work, dav.book, [contact])
    rows = merged.sync(first.token).rows()
    assert rows.pop(f"{dav.book}-jana.vcf") is None
    assert [etag is not None for etag in rows.values()] == [True]


def test_a_client_asks_nothing_of_another_clients_address(dav: Dav) -> None:
    assert dav.boris.propfind(dav.anna.base, "D:displayname").status == 404


@pytest.mark.parametrize("method", ["MKCOL", "PROPPATCH", "MOVE", "COPY", "POST", "MKCALENDAR", "LOCK"])
def test_what_the_web_app_does_is_refused_here(dav: Dav, method: str) -> None:
    assert dav.boris.ask(method, dav.boris.base).status == 403
