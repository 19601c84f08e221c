"""Real mails: what other parsers and people found in them, and what ours finds."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.mail.parsing.folding import fold_reply
from core.mail.parsing.parse import parse_mail
from core.mail.parsing.parsed import ParsedMail
from tests.support.notes import note

UNREADABLE = "\ufffd"

IMPLIED_TYPES = ("text/plain", "message/rfc822")
"""What a part is that states no type: the latter within a digest (RFC 2045, 5.2; 2046, 5.1.5; 8621, 4.1.4)."""

KNOWN_DIFFERENCES = {
    "legacy_016.eml": "a letter of the name, a raw byte in the text's charset, is unreadable there and read here",
    "legacy_023.eml": "a letter of the name, a raw byte in the text's charset, is unreadable there and read here",
    "legacy_026.eml": "a letter of the name, a raw byte in the text's charset, is unreadable there and read here",
    "legacy_035.eml": "the expectation keeps C:TEMP of a path in the name; ours has no folders",
    "legacy_039.eml": "the expectation keeps C:TEMP of a path in the name; ours has no folders",
    "legacy_049.eml": "uuencoded files in the text are files here, text there",
    "malformed_007.eml": "an empty part is expected where headers run into a boundary: nobody misses it",
    "malformed_012.eml": "one enclosed mail more than expected: it does stand there",
    "rfc_001.eml": "the expectation keeps the folders of a path in the name; ours has no folders",
    "thirdparty_015.eml": "two enclosed mails more than expected: they do stand there",
}


def test_subject_from_and_to_equal_what_is_expected(corpora: Path) -> None:
    """Where the expectation has U+FFFD for a raw byte, ours must say just what the bytes say.

    Old writers put letters of their charset into subjects without encoding them. Showing a replacement character there
    would be nearer to the expectation, and worse for whoever has to find the ticket.
    """
    fields: dict[str, Callable[[ParsedMail], str]] = {
        "subject": lambda mail: mail.subject,
        "from": lambda mail: mail.sender.address if mail.sender else "",
        "to": lambda mail: ", ".join(one.address for one in mail.to),
    }
    mails = _expected(corpora, "stalwart")
    for name, read in fields.items():
        triples = {
            file: ((wanted.get(name) or "").strip(), read(parse_mail(raw)).strip(), raw)
            for file, (raw, wanted) in mails.items()
        }
        differing = [file for file, (wanted, found, _raw) in triples.items() if wanted != found]
        wrong = [file for file in differing if not _reads_what_was_unreadable(*triples[file])]
        literal, rate = (1 - len(files) / len(mails) for files in (differing, wrong))
        note(f"stalwart {name}: {rate:.1%}, to the letter {literal:.1%}, wrong: {wrong}")
        assert rate >= 0.99, wrong
        assert literal >= 0.95, differing


def test_attachments_equal_what_is_expected(corpora: Path) -> None:
    mails = _expected(corpora, "stalwart")
    wrong = [file for file, (raw, wanted) in mails.items() if not _same_files(wanted["attachments"], parse_mail(raw))]
    for file in wrong:
        note(f"stalwart {file}: {KNOWN_DIFFERENCES.get(file, 'no reason known')}")
    rate = 1 - len(wrong) / len(mails)
    note(f"stalwart attachments: {rate:.1%}")
    assert rate >= 0.90, wrong
    assert set(wrong) <= KNOWN_DIFFERENCES.keys()


def test_reports_of_failed_delivery_are_recognised_and_nothing_else(corpora: Path) -> None:
    outcomes: Counter[str] = Counter()
    for corpus in ("sisimai", "flanker"):
        for file, (raw, wanted) in _expected(corpora, corpus).items():
            outcomes[_outcome(bool(wanted.get("is_bounce")), parse_mail(raw).is_bounce, file)] += 1
    precision = outcomes["hit"] / (outcomes["hit"] + outcomes["false alarm"])
    recall = outcomes["hit"] / (outcomes["hit"] + outcomes["miss"])
    f1 = 2 * precision * recall / (precision + recall)
    note(f"bounces: precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}, {dict(outcomes)}")
    assert precision >= 0.99
    assert f1 >= 0.97


def test_no_mail_of_a_person_is_taken_for_a_report(corpora: Path) -> None:
    for corpus in ("stalwart", "talon"):
        alarms = [file for file, (raw, _wanted) in _expected(corpora, corpus).items() if parse_mail(raw).is_bounce]
        assert alarms == [], corpus


def test_replies_are_cut_where_people_would(corpora: Path) -> None:
    wrong = []
    for file, (raw, wanted) in _expected(corpora, "talon").items():
        text = parse_mail(raw).text
        new, quoted = fold_reply(text)
        assert sorted(new + quoted) == sorted(text)
        if new.split() != wanted["reply_text"].split():
            wrong.append(file)
    note(f"talon: {21 - len(wrong)} of 21, wrong: {wrong}")
    assert len(wrong) <= 1


@pytest.mark.attack(16)
def test_every_mail_can_be_read_and_stored(corpora: Path) -> None:
    count = 0
    for path in sorted((corpora / "mail").glob("*/*.eml")):
        mail = parse_mail(path.read_bytes())
        for text in (mail.subject, mail.text, mail.html or "", *(part.filename for part in mail.attachments)):
            assert "\x00" not in text
            text.encode()
        count += 1
    assert count == 993


def _expected(corpora: Path, corpus: str) -> dict[str, tuple[bytes, dict[str, Any]]]:
    folder = corpora / "mail" / corpus
    wanted = json.loads((folder / "expected.json").read_text())
    return {file: ((folder / file).read_bytes(), fields) for file, fields in wanted.items()}


def _reads_what_was_unreadable(wanted: str, found: str, raw: bytes) -> bool:
    """Whether ours differs in U+FFFD alone, and stands in the mail byte by byte in a charset of Western Europe."""
    letters = zip(wanted, found, strict=False)
    is_alike = len(wanted) == len(found) and all(a in (b, UNREADABLE) for a, b in letters)
    return is_alike and found.encode("cp1252", "ignore") in raw


def _same_files(wanted: list[dict[str, Any]], mail: ParsedMail) -> bool:
    """Equal to the letter in number, order, name and type; a file whose name is not stated is named here."""
    if len(wanted) != len(mail.attachments):
        return False
    return all(
        one["filename"] in {None, part.filename}
        and (part.media_type == one["mime"] if one["mime"] else part.media_type in IMPLIED_TYPES)
        for one, part in zip(wanted, mail.attachments, strict=True)
    )


def _outcome(wanted: bool, found: bool, file: str) -> str:
    if wanted == found:
        return "hit" if found else "silence"
    note(f"bounce: {file} wanted {wanted}, found {found}")
    return "false alarm" if found else "miss"
