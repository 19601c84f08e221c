"""Bad input gets a clear error and loses nothing."""

import base64
import io
from dataclasses import replace

import pytest

from core.directory.books.uploads import card_extras
from core.directory.queries import contact_detail, list_contacts
from tests.carddav.conftest import Dav
from tests.conftest import ClientAs
from tests.support.dav import CR, entrance

NO_END = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nN:A;;;;\r\n"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "BEGIN:VCARD"),
        ("Hello", "no colon"),
        (NO_END, "END:VCARD"),
        (NO_END + "no colon here\r\nEND:VCARD\r\n", "no colon"),
        ("BEGIN:VCARD\r\nFN:A\r\nEND:VCARD\r\n", "VERSION"),
        ("BEGIN:VCARD\r\nVERSION:2.1\r\nFN:A\r\nEND:VCARD\r\n", "2.1"),
        ("BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n", "no name"),
        (NO_END + "END:VCARD\r\n" + NO_END + "END:VCARD\r\n", "several"),
        (NO_END + "NOTE:a\0b\r\nEND:VCARD\r\n", "NUL"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:\xe9\r\nN:A;;;;\r\nEND:VCARD\r\n", "utf-8"),
    ],
)
def test_a_broken_card_is_refused_with_the_reason(dav: Dav, card: str, body: str | bytes, reason: str) -> None:
    etag = dav.boris.put("jana.vcf", card).headers["ETag"]
    answer = dav.boris.put("jana.vcf", body)
    assert answer.status == 400
    assert reason in answer.text
    assert dav.boris.put("new.vcf", body).status == 400
    assert dav.boris.sync().rows() == {"jana.vcf": etag}


def test_a_card_in_another_charset_is_read_as_it_says(dav: Dav, card: str) -> None:
    body = card.replace("Malá", "Malá").encode("iso-8859-2")
    answer = dav.boris.ask("PUT", f"{dav.boris.base}a.vcf", body, Content_Type="text/vcard; charset=iso-8859-2")
    assert answer.status == 201
    assert dav.boris.get("a.vcf").text == card


def test_a_card_of_version_4_is_served_as_3(dav: Dav) -> None:
    card = (
        "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1\r\nFN:Petr Dlouhý\r\n"
        "TEL;VALUE=uri;PREF=1;TYPE=cell:tel:+420602123456\r\nEMAIL;PREF=1:petr@acme.example\r\n"
        "PHOTO:data:image/jpeg;base64,AAAA\r\nX-SPIN:7\r\nEND:VCARD\r\n"
    )
    answer = dav.boris.put("petr.vcf", card)
    assert answer.status == 201
    assert "ETag" not in answer.headers
    served = dav.boris.get("petr.vcf").text
    assert "VERSION:3.0" in served
    assert "TEL;TYPE=cell;TYPE=PREF:+420602123456" in served
    assert "PHOTO;ENCODING=b;TYPE=JPEG:AAAA" in served
    assert "N:Dlouhý;Petr;;;" in served
    assert "X-SPIN:7" in served


def test_a_card_without_uid_gets_one(dav: Dav, card: str) -> None:
    answer = dav.boris.put("jana.vcf", card.replace("UID:jana-1\r\n", ""))
    assert "ETag" not in answer.headers
    served = dav.boris.get("jana.vcf").text
    assert "UID:" in served
    assert served.replace(next(line for line in served.split("\r\n") if line.startswith("UID:")) + "\r\n", "") == (
        card.replace("UID:jana-1\r\n", "")
    )


def test_a_photo_of_a_megabyte_is_kept(dav: Dav, card: str) -> None:
    photo = base64.b64encode(bytes(2**20)).decode()
    big = card.replace("X-SPIN:7", f"PHOTO;ENCODING=b;TYPE=JPEG:{photo}")
    assert dav.boris.put("jana.vcf", big).status == 201
    assert dav.boris.get("jana.vcf").text == big


def test_ten_megabytes_are_too_much(dav: Dav, card: str) -> None:
    answer = dav.boris.put("jana.vcf", card.replace("X-SPIN:7", "X-SPIN:" + "7" * 10 * 2**20))
    assert answer.status == 413
    assert dav.boris.sync().rows() == {}


def test_a_card_without_a_length_is_taken_and_bounded(dav: Dav, card: str) -> None:
    assert dav.boris.put("jana.vcf", card, Transfer_Encoding="chunked").status == 201
    assert dav.boris.get("jana.vcf").text == card
    assert dav.boris.put("big.vcf", card + "7" * 6 * 2**20, Transfer_Encoding="chunked").status == 413


def test_what_a_contact_cannot_hold_stays_in_the_card_and_is_shown(dav: Dav, card: str, client_as: ClientAs) -> None:
    odd = card.replace("EMAIL;TYPE=INTERNET:jana@acme.example", "EMAIL:jana at acme\r\nTEL:ext. 12")
    assert dav.boris.put("jana.vcf", odd).status == 201
    assert dav.boris.get("jana.vcf").text == odd
    with dav.work_as("boris") as work:
        contact = list_contacts(work).rows[0].id
        detail = contact_detail(work, contact)
        assert [way.value for way in detail.phones] == ["+420601123456"]
        assert detail.emails == []
        assert {(extra.kind, extra.value) for extra in card_extras(work, contact)} == {
            ("EMAIL", "jana at acme"),
            ("TEL", "ext. 12"),
        }
    assert b"jana at acme, ext. 12" in client_as("boris").get(f"/contacts/{contact}").data


def test_signs_that_xml_cannot_hold_do_not_break_a_listing(dav: Dav, card: str) -> None:
    assert dav.boris.put("jana.vcf", card.replace("one, two", "one\x0btwo")).status == 201
    assert dav.boris.sync(with_data=True).tree.findtext(f".//{CR}address-data") == card.replace("one, two", "one two")


@pytest.mark.parametrize(
    "token", ["x", "urn:centrala:sync:1:aaaaaaaa:0123456789abcdef", "http://sabre.io/ns/sync/1", "' or 1=1 --"]
)
def test_a_forged_token_starts_the_client_anew(dav: Dav, token: str) -> None:
    answer = dav.boris.sync(token)
    assert answer.status == 403
    assert "valid-sync-token" in answer.text


def test_thunderbird_hears_of_a_bad_token_as_it_understands(dav: Dav) -> None:
    assert replace(dav.boris, agent="Mozilla/5.0 Thunderbird/140.0").sync("x").status == 400


def test_another_clients_token_is_not_taken(dav: Dav) -> None:
    assert dav.anna.sync(dav.boris.sync().token).status == 403


@pytest.mark.parametrize("length", ["-1", "abc"])
def test_a_length_that_is_none_is_refused(dav: Dav, length: str) -> None:
    seen: dict[str, str] = {}
    environ = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": f"{dav.boris.base}a.vcf",
        "CONTENT_LENGTH": length,
        "wsgi.input": io.BytesIO(b"BEGIN:VCARD"),
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_AUTHORIZATION": "Basic "
        + base64.b64encode(f"{dav.boris.username}:{dav.boris.password}".encode()).decode(),
    }
    b"".join(entrance()(environ, lambda status, _headers: seen.update(status=status)))
    assert seen["status"].startswith("400")
