"""What a card says about a person, in the fields that a contact has."""

import re
from dataclasses import replace

import pytest
from babel import Locale
from hypothesis import given, settings

from core.directory.books.cards.fields import (
    CardFields,
    Extra,
    card_words,
    country_code,
    country_name,
    extras,
    full_name,
    read_fields,
)
from core.directory.books.cards.lines import parse_card
from core.directory.books.cards.patching import new_card
from tests.support.cards import card, people, person


def read(*lines: str) -> CardFields:
    """What these lines say, in the Czech Republic."""
    return read_fields(parse_card(card(*lines)), "CZ")


@settings(max_examples=100, deadline=None)
@given(people())
def test_a_new_card_says_what_the_contact_says(fields: CardFields) -> None:
    assert read_fields(parse_card(new_card("uid-1", fields)), "CZ") == fields


def test_a_card_of_a_phone_is_read() -> None:
    found = read(
        "N:Malá;Jana;;Ing.;", "FN:Ing. Jana Malá", "ORG:Firma\\, s.r.o.;Nákup", "TITLE:Vedoucí",
        "item1.ADR;TYPE=HOME:;;Krátká 1;Brno;;602 00;Česko", "ADR;TYPE=WORK;TYPE=pref:;;Dlouhá\\n5;Praha;;110 00;CZ",
        "TEL;TYPE=CELL;TYPE=VOICE:601 123 456", "TEL;WORK:+420 222 333 444", "item2.TEL:+48 601 234 567",
        "EMAIL;TYPE=INTERNET;TYPE=HOME:Jana@Firma.example", "NOTE:one\\, two; three\\nfour",
    )  # fmt: skip
    assert found == CardFields(
        name="Ing. Jana Malá",
        organization="Firma, s.r.o.",
        job_title="Vedoucí",
        street="Dlouhá 5",
        city="Praha",
        postal_code="110 00",
        country="CZ",
        note="one, two; three\nfour",
        phones=(("+420601123456", "mobile"), ("+420222333444", "work"), ("+48601234567", "")),
        emails=(("Jana@Firma.example", "home"),),
    )


def test_what_is_no_number_stays_in_the_card_and_is_told() -> None:
    lines = parse_card(card("FN:x", "TEL:*100#", "TEL:601 123 456,,12", "TEL:601 123 456", "EMAIL:x", "EMAIL:", "TEL:"))
    fields = read_fields(lines, "CZ")
    assert fields.phones == (("+420601123456", ""),)
    known = replace(fields, emails=())
    assert extras(lines, known, "CZ") == [Extra("TEL", "*100#"), Extra("TEL", "601 123 456,,12"), Extra("EMAIL", "x")]


def test_a_number_written_twice_is_one() -> None:
    found = read(
        "FN:x", "TEL;TYPE=CELL:601123456", "TEL;TYPE=WORK:+420 601 123 456", "EMAIL:A@b.example", "EMAIL:a@B.example"
    )
    assert found.phones == (("+420601123456", "mobile"),)
    assert found.emails == (("A@b.example", ""),)


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["FN:  Jana   Malá "], "Jana Malá"),
        (["FN:", "N:Malá;Jana;Marie;Ing.;Ph.D."], "Ing. Jana Marie Malá Ph.D."),
        (["N:;;;;", "NICKNAME:Janička"], "Janička"),
        (["ORG:Firma;Nákup"], "Firma Nákup"),
        (["EMAIL:jana@x.example"], "jana@x.example"),
        (["TEL:+420 601 123 456"], "+420 601 123 456"),
        (["NOTE:nobody"], ""),
    ],
)
def test_a_card_without_a_full_name_is_called_after_what_it_has(lines: list[str], name: str) -> None:
    assert full_name(parse_card(card(*lines))) == name


@pytest.mark.parametrize("word", ["CZ", "cz", "Czechia", "Česko", "Tschechien", "Czechy", " česko "])
def test_a_country_is_known_by_its_names(word: str) -> None:
    assert country_code(word) == "CZ"


def test_every_country_is_known_by_the_name_that_cards_get() -> None:
    codes = [str(code) for code in Locale("en").territories if re.fullmatch("[A-Z]{2}", str(code))]
    assert len(codes) > 200
    assert [code for code in codes if country_code(country_name(code)) != code] == []
    assert country_code("Atlantis") == ""


def test_clients_find_a_card_by_its_names_and_numbers_and_not_by_its_photo() -> None:
    words = card_words(parse_card(card("FN:Jana\\, Malá", "N:Malá;Jana", "TEL:601 123", "PHOTO;ENCODING=b:AAAABBBB")))
    assert words == "Jana, Malá Malá Jana 601 123"


def test_a_person_of_no_words_has_a_card_of_a_name() -> None:
    lines = parse_card(new_card("uid-1", person()))
    assert [line.name for line in lines] == ["BEGIN", "VERSION", "UID", "FN", "N", "END"]
