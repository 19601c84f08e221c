"""Cards made to keep the server busy: counted in the processor's time, since other tests run beside this one."""

import time
from collections.abc import Callable

import pytest

from core.directory.books.cards.fields import card_words, read_fields
from core.directory.books.cards.lines import BadCard, parse_card
from core.directory.books.cards.merge import merge_cards
from core.directory.books.cards.versions import MOST_LINES, as_stored
from tests.support.cards import card

LONG = 1_000_000


def seconds(act: Callable[[], object]) -> float:
    """What it takes."""
    started = time.process_time()
    act()
    return time.process_time() - started


@pytest.mark.parametrize(
    "line",
    [
        "NOTE:" + "\\n" * LONG,
        "ORG:" + "\\" * LONG,
        "ADR:" + ";" * LONG,
        "N:" + "\\;" * LONG,
        "TEL:" + "1" * LONG,
        "EMAIL:" + "a@" * LONG,
        "X-A:" + "\r\n " * LONG,
        "X-A" + ";" * LONG + ":",
        "X-A;B=" + '"a"b' * (LONG // 4) + ":",
        "X-A;TYPE=" + ",a" * (LONG // 4) + ":",
        'X-A;B="' + '";"' * (LONG // 4) + ":",
        "\r\n" * LONG,
        "\r" * LONG,
    ],
    ids=lambda line: repr(line[:14]),
)
def test_a_long_line_takes_no_longer_than_its_length(line: str) -> None:
    def read() -> None:
        lines = parse_card(card("FN:Jana", line, "X-END:1"))
        read_fields(lines, "CZ")
        card_words(lines)

    assert seconds(read) < 5


@pytest.mark.parametrize("form", ["X-{side}{number}:1", "item{number}.X-{side}:{number}", "TEL:+42060{number}{side}"])
def test_two_cards_of_many_lines_are_merged_in_a_moment(form: str) -> None:
    theirs, ours = (
        card("FN:Jana", *(form.format(side=side, number=number) for number in range(MOST_LINES - 10)))
        for side in ("A", "B")
    )
    assert seconds(lambda: merge_cards(card("FN:Jana"), theirs, ours)) < 3


def test_a_card_of_the_most_numbers_is_read_in_a_moment() -> None:
    text = card("FN:Jana", "UID:1", "N:x", *(f"TEL:+420601{number:06d}" for number in range(MOST_LINES - 10)))
    assert seconds(lambda: read_fields(as_stored(text)[1], "CZ")) < 5


def test_a_large_photo_is_taken_in_a_moment() -> None:
    text = card("FN:Jana", "PHOTO:data:image/jpeg;base64," + "A" * 4 * LONG, version="4.0")
    assert seconds(lambda: as_stored(text)) < 5


def test_a_card_inside_a_card_is_refused() -> None:
    with pytest.raises(BadCard):
        parse_card("BEGIN:VCARD\r\n" * 10_000 + "VERSION:3.0\r\n" + "END:VCARD\r\n" * 10_000)
