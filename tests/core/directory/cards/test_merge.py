"""Two people changed one card: what each did stays, and where both did the same, the client's word stands."""

from collections import Counter

import pytest
from hypothesis import assume, given, settings

from core.directory.books.cards.lines import parse_card
from core.directory.books.cards.merge import merge_cards
from tests.support.cards import card, cards

MANY = settings(max_examples=60, deadline=None)
BASE = ("FN:Jana Malá", "TITLE:Buyer", "TEL;TYPE=CELL:601 123 456", "TEL;TYPE=WORK:222 333 444", "NOTE:old")


def without(*gone: str) -> list[str]:
    """The base's lines but for these."""
    return [line for line in BASE if line not in gone]


def test_what_only_we_changed_is_brought_into_the_clients_card() -> None:
    theirs = card("FN:Jana Malá", "TITLE:Buyer", "X-NEW:1", *BASE[2:])
    ours = card(*BASE[:1], "TITLE:Head", *BASE[2:], "EMAIL:j@x.example")
    merged = card("FN:Jana Malá", "TITLE:Head", "X-NEW:1", *BASE[2:], "EMAIL:j@x.example")
    assert merge_cards(card(*BASE), theirs, ours) == merged


def test_numbers_that_both_added_are_both_there() -> None:
    theirs, ours = card(*BASE, "TEL:+1 212 555 0123"), card(*BASE, "TEL:+44 20 7183 8750")
    merged = merge_cards(card(*BASE), theirs, ours)
    assert Counter(parse_card(merged)) == Counter(
        parse_card(card(*BASE, "TEL:+1 212 555 0123", "TEL:+44 20 7183 8750"))
    )


def test_the_same_number_added_by_both_stands_once() -> None:
    both = card(*BASE, "TEL:+1 212 555 0123")
    assert merge_cards(card(*BASE), both, card(*BASE, "X-A:1", "TEL:+1 212\r\n  555 0123")).count("+1 212") == 1


def test_a_number_that_we_took_out_goes_and_one_that_the_client_took_out_stays_out() -> None:
    theirs, ours = card(*without(BASE[2])), card(*without(BASE[3]))
    assert merge_cards(card(*BASE), theirs, ours) == card(*without(BASE[2], BASE[3]))


def test_a_number_that_the_client_changed_stays_though_we_took_out_its_old_one() -> None:
    changed = "TEL;TYPE=CELL:601 999 999"
    theirs, ours = card(*without(BASE[2]), changed), card(*without(BASE[2]))
    assert changed in merge_cards(card(*BASE), theirs, ours)


@pytest.mark.parametrize("ours", [(*BASE[:4], "NOTE:ours"), BASE[:4]])
def test_where_both_changed_the_same_the_clients_word_stands(ours: tuple[str, ...]) -> None:
    theirs = card(*BASE[:4], "NOTE:theirs")
    assert merge_cards(card(*BASE), theirs, card(*ours)) == theirs


def test_what_the_client_emptied_stays_empty() -> None:
    assert "NOTE" not in merge_cards(card(*BASE), card(*BASE[:4]), card(*BASE[:4], "NOTE:ours"))


def test_a_number_and_its_label_are_one() -> None:
    labelled = ("item1.TEL:+44 20 7183 8750", "item1.X-ABLabel:Chalupa")
    theirs = card(*BASE, "item1.URL:https://x.example", "item1.X-ABLabel:Web")
    merged = merge_cards(card(*BASE), theirs, card(*BASE, *labelled))
    assert "item2.TEL:+44 20 7183 8750\r\n" in merged
    assert "item2.X-ABLabel:Chalupa\r\n" in merged
    assert "item1.URL:https://x.example\r\nitem1.X-ABLabel:Web\r\n" in merged


def test_a_label_that_changed_replaces_the_number_with_its_old_one() -> None:
    base = card(*BASE, "item1.TEL:+44 20 7183 8750", "item1.X-ABLabel:Chalupa")
    ours = base.replace("Chalupa", "Chata")
    merged = merge_cards(base, base.replace("NOTE:old", "NOTE:new"), ours)
    assert merged == ours.replace("NOTE:old", "NOTE:new")


def test_groups_by_category_stay_as_the_client_has_them() -> None:
    base = card(*BASE, "CATEGORIES:Friends,Work")
    ours = base.replace("Buyer", "Head")
    theirs = base.replace("Friends,Work", "Friends\\, old,Work,VIP")
    assert merge_cards(base, theirs, ours) == theirs.replace("Buyer", "Head")


def test_another_fold_or_another_order_is_no_change() -> None:
    base = card("FN:Jana", "TEL:1", "NOTE:one two")
    ours = card("FN:Jana", "NOTE:one\r\n  two", "TEL:1")
    theirs = card("FN:Jana", "TEL:1", "NOTE:one two", "X-A:1")
    assert merge_cards(base, theirs, ours) == theirs


@MANY
@given(cards(), cards())
def test_a_card_that_nobody_else_changed_is_stored_as_the_client_wrote_it(base: str, theirs: str) -> None:
    assert merge_cards(base, theirs, base) == theirs


@MANY
@given(cards(), cards())
def test_a_client_that_changed_nothing_changes_nothing(base: str, ours: str) -> None:
    assert merge_cards(base, base, ours) == ours


@MANY
@given(cards(), cards(), cards())
def test_a_client_that_sends_its_card_again_changes_nothing(base: str, theirs: str, ours: str) -> None:
    assume(max(max(lines_of(text).values()) for text in (base, theirs, ours)) == 1)  # which of two equal ones is meant?
    merged = merge_cards(base, theirs, ours)
    assert lines_of(merge_cards(base, theirs, merged)) == lines_of(merged)


@MANY
@given(cards(), cards(), cards())
def test_no_line_is_made_up_and_none_that_both_have_is_lost(base: str, theirs: str, ours: str) -> None:
    told, said = lines_of(merge_cards(base, theirs, ours)), (lines_of(theirs), lines_of(ours))
    assert told.keys() <= said[0].keys() | said[1].keys()
    assert said[0].keys() & said[1].keys() <= told.keys()


def lines_of(text: str) -> Counter[tuple[str, object, str]]:
    """What the lines say, whatever their groups are called and however they are folded."""
    return Counter((line.name, frozenset(line.params), line.value) for line in parse_card(text))
