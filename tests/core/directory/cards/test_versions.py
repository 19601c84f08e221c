"""What is stored of an uploaded card: its own bytes; from version 4.0 what version 3.0 says for it."""

import pytest
from hypothesis import given, settings

from core.directory.books.cards.fields import full_name, read_fields
from core.directory.books.cards.lines import BadCard, joined, parse_card
from core.directory.books.cards.versions import MOST_LINES, as_stored, uid_of
from tests.support.cards import card, cards

WHOLE = ("FN:Jana Malá", "N:Malá;Jana;;;", "UID:abc")


def stored(*lines: str, version: str = "4.0") -> list[str]:
    """The lines that are stored of a card with a name and these."""
    text, _lines = as_stored(card(*WHOLE, *lines, version=version))
    return text.split("\r\n")[5:-2]


@settings(max_examples=100, deadline=None)
@given(cards())
def test_what_is_stored_is_stored_again_byte_for_byte(text: str) -> None:
    once, lines = as_stored(text)
    assert joined(lines) == once
    assert as_stored(once) == (once, lines)
    assert full_name(lines) == full_name(parse_card(text))


@settings(max_examples=100, deadline=None)
@given(cards())
def test_every_stored_card_is_of_version_3_and_has_a_name_and_a_uid(text: str) -> None:
    lines = as_stored(text)[1]
    assert [line.value for line in lines if line.name == "VERSION"] == ["3.0"]
    assert uid_of(lines)
    assert {"FN", "N"} <= {line.name for line in lines}


def test_a_whole_card_of_version_3_is_stored_byte_for_byte() -> None:
    lines = (*WHOLE, "NOTE:one\\, two; three", "tel;cell:1", 'X-A;B="c;d":e\r\n  f', "PHOTO;VALUE=uri:data:,x", "TEL:")
    for newline in ("\r\n", "\n"):
        text = card(*lines, newline=newline)
        assert as_stored(text)[0] == text


def test_what_a_card_lacks_is_put_in() -> None:
    text, lines = as_stored(card("EMAIL:jana@x.example"))
    assert text == card(f"UID:{uid_of(lines)}", "N:jana@x.example;;;;", "FN:jana@x.example", "EMAIL:jana@x.example")


def test_an_empty_name_and_uid_are_filled() -> None:
    text, lines = as_stored(card("UID:", "FN:", "N:Malá;Jana;;;"))
    assert text == card(f"UID:{uid_of(lines)}", "FN:Jana Malá", "N:Malá;Jana;;;")
    assert uid_of(lines)


def test_a_byte_order_mark_goes() -> None:
    assert as_stored("\ufeff" + card(*WHOLE))[0] == card(*WHOLE)


@pytest.mark.parametrize(
    ("line", "in_3"),
    [
        (
            'TEL;VALUE=uri;PREF=1;TYPE="work,voice":tel:+1-418-656-9254',
            "TEL;TYPE=work;TYPE=voice;TYPE=PREF:+1-418-656-9254",
        ),
        ("TEL;VALUE=uri:tel:+1-418-656-9254;ext=102", "TEL:+1-418-656-9254 ext. 102"),
        ("item1.TEL;PREF=2;TYPE=cell:601 123 456", "item1.TEL;TYPE=cell:601 123 456"),
        ("EMAIL;PID=1.1:jana@x.example", "EMAIL:jana@x.example"),
        ("PHOTO:data:image/jpeg;base64,AAAA", "PHOTO;ENCODING=b;TYPE=JPEG:AAAA"),
        ("PHOTO:data:image/png;base64\\,AAAA", "PHOTO;ENCODING=b;TYPE=PNG:AAAA"),
        ("PHOTO;MEDIATYPE=image/gif:https://x.example/a.gif", "PHOTO;VALUE=uri:https://x.example/a.gif"),
        ("BDAY;VALUE=date-and-or-time:19700203", "BDAY:19700203"),
    ],
)
def test_version_4_is_said_as_version_3_says_it(line: str, in_3: str) -> None:
    assert stored(line) == [in_3]


@pytest.mark.parametrize(
    "line", ["GENDER:F", "NOTE:one\\, two\r\n  three", "X-A;B=c:d", "ADR;TYPE=work:;;Dlouhá 5;Praha;;;", "LANG:cs"]
)
def test_lines_that_both_versions_say_alike_stay_byte_for_byte(line: str) -> None:
    assert stored(line) == line.split("\r\n")


def test_a_uid_of_version_4_loses_its_scheme() -> None:
    lines = as_stored(card("FN:x", "N:x;;;;", "UID:urn:uuid:0a1b", version="4.0"))[1]
    assert uid_of(lines) == "0a1b"


def test_a_number_of_version_4_is_read_with_its_kind() -> None:
    text = card(*WHOLE, 'TEL;VALUE=uri;TYPE="cell,voice":tel:+420-601-123-456', version="4.0")
    assert read_fields(as_stored(text)[1], "CZ").phones == (("+420601123456", "mobile"),)


def test_a_card_of_nobody_is_refused() -> None:
    with pytest.raises(BadCard, match="no name"):
        as_stored(card("NOTE:x", "UID:1"))


def test_a_card_of_too_many_lines_is_refused() -> None:
    with pytest.raises(BadCard, match=str(MOST_LINES)):
        as_stored(card(*WHOLE, *(f"TEL:{number}" for number in range(MOST_LINES))))
