"""A card's lines: every byte is kept, and what they say is read as the RFCs have it."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.directory.books.cards.lines import (
    FOLD_OCTETS,
    BadCard,
    components,
    escape,
    escape_component,
    fold,
    joined,
    parse_card,
    unescape,
    unfolded,
    written,
)
from tests.support.cards import card, cards

MANY = settings(max_examples=100, deadline=None)


@MANY
@given(cards())
def test_reading_a_card_keeps_every_byte(text: str) -> None:
    assert joined(parse_card(text)) == text


@MANY
@given(st.text(max_size=300).filter(lambda text: not {"\r", "\n"} & set(text)))
def test_a_fold_is_short_and_cuts_no_character(text: str) -> None:
    folded = fold(text)
    assert all(len(line.encode()) <= FOLD_OCTETS for line in folded.split("\r\n"))
    assert unfolded(folded) == text


@MANY
@given(st.text(max_size=60))
def test_an_escaped_text_reads_as_it_was(text: str) -> None:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    assert unescape(escape(text)) == plain
    assert components(escape_component(text)) == [plain]


@MANY
@given(st.text(max_size=200))
def test_any_text_is_a_card_or_is_refused(text: str) -> None:
    with suppress(BadCard):
        assert parse_card(card(text))[0].name == "BEGIN"


def test_a_semicolon_is_not_escaped_in_a_text() -> None:
    assert escape("a; b, c\\d\ne") == r"a; b\, c\\d\ne"


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("Novák;Jan;;;", ["Novák", "Jan", "", "", ""]),
        (r"a\;b;c\,d;e\\;f\n", ["a;b", "c,d", "e\\", "f\n"]),
        ("", [""]),
        ("\\", ["\\"]),
        (r"C:\Temp;x", [r"C:\Temp", "x"]),
    ],
)
def test_a_structured_value_is_cut_at_bare_semicolons(value: str, parts: list[str]) -> None:
    assert components(value) == parts


@pytest.mark.parametrize(
    ("raw", "group", "name", "params", "value"),
    [
        ("TEL:+420", "", "TEL", (), "+420"),
        ("tel;Cell;type=work,voice:1", "", "TEL", (("TYPE", "Cell"), ("TYPE", "work"), ("TYPE", "voice")), "1"),
        ("item1.TEL;TYPE=home:a:b", "item1", "TEL", (("TYPE", "home"),), "a:b"),
        ('ADR;LABEL="a;b:c, d";X=y:;;', "", "ADR", (("LABEL", "a;b:c, d"), ("X", "y")), ";;"),
        ('TEL;TYPE="work,voice":1', "", "TEL", (("TYPE", "work"), ("TYPE", "voice")), "1"),
        ("NOTE:one\r\n  two\r\n\tthree", "", "NOTE", (), "one twothree"),
        ("X-EMPTY;A=:", "", "X-EMPTY", (), ""),
    ],
)
def test_a_line_is_read(raw: str, group: str, name: str, params: tuple[tuple[str, str], ...], value: str) -> None:
    line = parse_card(card(raw))[2]
    assert (line.group, line.name, line.params, line.value) == (group, name, params, value)
    assert line.raw == f"{raw}\r\n"


def test_a_head_and_its_value_make_the_line_again() -> None:
    line = parse_card(card('item2.ADR;LABEL="x:y";TYPE=home:;;Dlouhá 1\r\n 5;Praha'))[2]
    assert line.head == 'item2.ADR;LABEL="x:y";TYPE=home:'
    assert written(line.head, line.value).raw == 'item2.ADR;LABEL="x:y";TYPE=home:;;Dlouhá 15;Praha\r\n'


def test_cards_end_their_lines_in_several_ways() -> None:
    for newline in ("\r\n", "\n", "\r", "\r\n\r\n"):
        text = card("FN:Jana", "NOTE:x", newline=newline)
        lines = parse_card(text)
        assert [(line.name, line.value) for line in lines[2:4]] == [("FN", "Jana"), ("NOTE", "x")]
        assert joined(lines) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not begin"),
        ("Hello", "no colon"),
        ("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "does not begin"),
        ("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:x\r\n", "does not end"),
        ("BEGIN:VCARD\r\nFN:x\r\nEND:VCARD\r\n", "VERSION"),
        (card("FN:x", version="2.1"), "2.1"),
        (card("FN:x") + card("FN:y"), "several"),
        (card("FN:x", "BEGIN:VCARD", "END:VCARD"), "several"),
        (card("FN:x", "no colon here"), "no colon"),
        (card("FN:x", "-- +:y"), "property name"),
        (card("FN:x\0y"), "NUL"),
    ],
)
def test_what_is_no_card_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadCard, match=reason):
        parse_card(text)
