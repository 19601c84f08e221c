"""Cards that other people's tests hold: none is lost, none breaks anything, and what is refused is told why."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.directory.books.cards.fields import CardFields, card_words, read_fields
from core.directory.books.cards.lines import BadCard, Line, joined, parse_card
from core.directory.books.cards.merge import merge_cards
from core.directory.books.cards.patching import patch_card
from core.directory.books.cards.versions import as_stored
from tests.support.notes import note

ALL = 169

REFUSED = {
    "bulk/simple/15.vcf": "no colon",
    "bulk/simple/4.vcf": "several",
    "bulk/simple/7.vcf": "several",
    "sharing/bulk/7.vcf": "several",
    "sharing/bulk/8.vcf": "several",
    "vcarderrors/4.vcf": "property name",
    "vcarderrors/6.vcf": "version '2.1'",
    "verrors/3.vcf": "no colon",
    "examples/assets/contacts.vcf": "several",
    "nuovo+vCard-parser/Example2.1.vcf": "version '2.1'",
}


def texts(corpora: Path) -> Iterator[tuple[str, str]]:
    """Every card with its path."""
    for path in sorted((corpora / "vcards").rglob("*.vcf")):
        yield str(path.relative_to(corpora)), path.read_bytes().decode()


def taken(corpora: Path) -> Iterator[tuple[str, str, list[Line]]]:
    """Those that are taken: what was sent, and the lines that are stored."""
    for path, text in texts(corpora):
        if not any(path.endswith(name) for name in REFUSED):
            yield path, text, as_stored(text)[1]


def test_every_card_is_taken_or_refused_for_its_known_reason(corpora: Path) -> None:
    refused = {}
    for path, text in texts(corpora):
        try:
            as_stored(text)
        except BadCard as error:
            refused[path] = str(error)
    reasons = {
        path: reason for path, found in refused.items() for name, reason in REFUSED.items() if path.endswith(name)
    }
    assert reasons.keys() == refused.keys()
    assert [path for path, reason in reasons.items() if reason not in refused[path]] == []
    assert len(refused) == len(REFUSED)


def test_a_card_that_is_taken_keeps_every_byte_but_for_a_missing_uid(corpora: Path) -> None:
    changed = []
    for path, text, lines in taken(corpora):
        kept = [line.raw for line in lines]
        if joined(lines) != text:
            changed.append(path)
            kept = [line.raw for line in lines if line.name != "UID"]
        assert "".join(kept) == text, path
    note(f"cards: {ALL - len(REFUSED) - len(changed)} byte for byte, {len(changed)} got a UID, {len(REFUSED)} refused")
    assert len(changed) == 8


def test_every_card_has_a_name_and_words(corpora: Path) -> None:
    for path, _text, lines in taken(corpora):
        fields = read_fields(lines, "CZ")
        assert fields.name, path
        assert fields.name.split()[0] in card_words(lines), path


def test_a_change_of_the_contact_keeps_all_other_lines(corpora: Path) -> None:
    for path, _text, lines in taken(corpora):
        before = read_fields(lines, "CZ")
        after = CardFields(name="Jana Malá", note="first\nsecond, third", phones=(("+420601123456", "mobile"),))
        text = patch_card(joined(lines), before, after, home="CZ")
        assert read_fields(parse_card(text), "CZ") == after, path
        others = {
            line.raw for line in lines if line.name not in {"FN", "N", "ORG", "TITLE", "ADR", "NOTE", "TEL", "EMAIL"}
        }
        assert {raw for raw in others if ".X-" not in raw.upper()} <= {line.raw for line in parse_card(text)}, path


@pytest.mark.parametrize("line", ["X-THEIRS:1", "TEL:+420601123456"])
def test_a_line_that_a_client_adds_meets_one_that_we_add(corpora: Path, line: str) -> None:
    for path, _text, lines in taken(corpora):
        base, end = joined(lines[:-1]), lines[-1].raw
        merged = merge_cards(base + end, f"{base}{line}\r\n{end}", f"{base}X-OURS:1\r\n{end}")
        assert sorted(parse_card(merged)[-3:-1], key=lambda one: one.name) == sorted(
            parse_card(f"BEGIN:VCARD\r\nVERSION:3.0\r\n{line}\r\nX-OURS:1\r\nEND:VCARD\r\n")[2:4],
            key=lambda one: one.name,
        ), path


def test_the_corpus_is_whole(corpora: Path) -> None:
    assert sum(1 for _card in texts(corpora)) == ALL
