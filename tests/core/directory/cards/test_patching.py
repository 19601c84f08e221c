"""A change of the contact rewrites the lines that differ, and no other byte of the client's card."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from core.directory.books.cards.fields import CardFields, read_fields
from core.directory.books.cards.lines import parse_card
from core.directory.books.cards.patching import patch_card
from tests.support.cards import card, cards, people, person

MANY = settings(max_examples=100, deadline=None)
OURS = {"FN", "N", "ORG", "TITLE", "NOTE", "ADR", "TEL", "EMAIL"}


def patched(text: str, **changes: object) -> str:
    """The card after these fields of its contact changed."""
    before = read_fields(parse_card(text), "CZ")
    return patch_card(text, before, replace(before, **changes), home="CZ")  # type: ignore[arg-type]  # a test's own words


@MANY
@given(cards(), people())
def test_no_change_changes_no_byte(text: str, fields: CardFields) -> None:
    assert patch_card(text, fields, fields, home="CZ") == text


@MANY
@given(cards(), people())
def test_a_patched_card_says_what_the_contact_says(text: str, fields: CardFields) -> None:
    found = read_fields(parse_card(patch_card(text, read_fields(parse_card(text), "CZ"), fields, home="CZ")), "CZ")
    assert sorted(found.phones) == sorted(fields.phones)
    assert sorted(found.emails) == sorted(fields.emails)
    assert replace(found, phones=(), emails=()) == replace(fields, phones=(), emails=())


@MANY
@given(cards(), people())
def test_a_second_patch_changes_nothing(text: str, fields: CardFields) -> None:
    before = read_fields(parse_card(text), "CZ")
    once = patch_card(text, before, fields, home="CZ")
    assert patch_card(once, before, fields, home="CZ") == once


@MANY
@given(cards(), people())
def test_lines_that_a_contact_has_no_field_for_stay_byte_for_byte(text: str, fields: CardFields) -> None:
    after = patch_card(text, read_fields(parse_card(text), "CZ"), fields, home="CZ")
    others = [[one.raw for one in parse_card(each) if one.name not in OURS and not one.group] for each in (text, after)]
    assert others[0] == others[1]


def test_a_changed_title_touches_its_line_alone() -> None:
    text = card(
        "FN:Jana", "TITLE;LANGUAGE=cs:Dlouhý\r\n  název", "X-A:1\\, 2", "PHOTO;ENCODING=b:AA\r\n AA", newline="\r\n"
    )
    assert patched(text, job_title="Ředitelka; nákup") == text.replace(
        "TITLE;LANGUAGE=cs:Dlouhý\r\n  název", "TITLE;LANGUAGE=cs:Ředitelka; nákup"
    )


def test_a_department_stays_until_the_company_changes() -> None:
    text = card("FN:Jana", "ORG:Firma;Nákup")
    assert patched(text, job_title="x").count("ORG:Firma;Nákup") == 1
    assert "ORG:Jiná\r\n" in patched(text, organization="Jiná")


def test_the_house_box_of_an_address_stays() -> None:
    text = card("FN:Jana", "ADR;TYPE=HOME:P.O. 1;byt 2;Krátká 1;Brno;Morava;602 00;Česko")
    after = patched(text, city="Praha", country="PL")
    assert "ADR;TYPE=HOME:P.O. 1;byt 2;Krátká 1;Praha;Morava;602 00;Poland\r\n" in after


def test_the_preferred_address_is_the_one_that_changes() -> None:
    text = card("FN:Jana", "ADR;TYPE=HOME:;;Krátká 1;Brno;;;", "ADR;TYPE=WORK,pref:;;Dlouhá 5;Praha;;;")
    after = patched(text, street="Nová 7")
    assert "ADR;TYPE=HOME:;;Krátká 1;Brno;;;\r\nADR;TYPE=WORK,pref:;;Nová 7;Praha;;;\r\n" in after


def test_a_new_number_stands_behind_the_others_and_the_others_stay_as_written() -> None:
    text = card("FN:Jana", "TEL;TYPE=CELL;X-B=1:601 123 456", "TEL:*100#", "EMAIL:j@x.example")
    phones = (("+420601123456", "mobile"), ("+48601234567", "work"))
    assert patched(text, phones=phones) == text.replace("TEL:*100#\r\n", "TEL:*100#\r\nTEL;TYPE=WORK:+48601234567\r\n")


def test_a_number_that_goes_takes_its_label_along() -> None:
    text = card("FN:Jana", "item1.TEL:601 123 456", "X-A:1", "ITEM1.X-ABLabel:Chalupa", "item2.X-ABLabel:Jiný")
    assert patched(text, phones=()) == card("FN:Jana", "X-A:1", "item2.X-ABLabel:Jiný")


def test_a_number_that_goes_leaves_what_else_stands_in_its_group() -> None:
    kept = ("home.ADR:;;Krátká 1;Brno;;;", "home.EMAIL:j@x.example", "home.X-ABLabel:Doma")
    assert patched(card("FN:Jana", "home.TEL:601 123 456", *kept), phones=()) == card("FN:Jana", *kept)


def test_another_kind_keeps_the_number_and_its_other_types() -> None:
    text = card("FN:Jana", "item1.TEL;TYPE=HOME,VOICE;TYPE=pref:601 123 456")
    after = patched(text, phones=(("+420601123456", "mobile"),))
    assert "item1.TEL;TYPE=VOICE;TYPE=pref;TYPE=CELL:601 123 456\r\n" in after


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_a_new_line_ends_as_the_card_does(newline: str) -> None:
    after = patched(card("FN:Jana", newline=newline), note="a\nb")
    assert after == card("FN:Jana", "NOTE:a\\nb", newline=newline)


def test_a_field_that_was_emptied_leaves_no_other_line_of_its_name() -> None:
    assert patched(card("FN:Jana", "TITLE:a", "X-A:1", "TITLE:b"), job_title="") == card("FN:Jana", "X-A:1")


def test_how_an_old_value_was_encoded_says_nothing_of_the_new_one() -> None:
    text = card("FN:Jana", "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8;X-A=1:=C4=8D")
    assert patched(text, note="č") == card("FN:Jana", "NOTE;X-A=1:č")


def test_a_name_in_one_piece_is_cut_at_its_last_word() -> None:
    after = patched(card("FN:Jana Malá", "N:Malá;Jana;;;"), name="Jana Marie Velká; Kos")
    assert after == card("FN:Jana Marie Velká; Kos", "N:Kos;Jana Marie Velká\\;;;;")


def test_a_long_line_is_folded() -> None:
    after = patched(card("FN:Jana"), note="ěščřžýáíé" * 30)
    assert all(len(line.encode()) <= 75 for line in after.split("\r\n"))
    assert read_fields(parse_card(after), "CZ").note == "ěščřžýáíé" * 30


def test_a_contact_that_says_what_the_card_says_already_changes_nothing() -> None:
    text = card("FN:Jana  Malá", "N:Malá;Jana", "TEL:601 123 456", "ADR:;;A\\nB;;;;Česko", "EMAIL:mailto:j@x.example")
    fields = read_fields(parse_card(text), "CZ")
    assert patch_card(text, person(), fields, home="CZ") == text
