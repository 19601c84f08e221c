"""What is new in a reply, and what it quotes. Nothing is lost: each character stands in one of the two.

Looks at each line a bounded number of times, in at most 64 KB (ATTACK 25).
"""

import re
from collections.abc import Sequence
from typing import Final

ANALYSED_CHARACTERS: Final = 64 * 1024
LINE_CHARACTERS: Final = 400
ATTRIBUTION_LINES: Final = 4
HEADER_BLOCK_LINES: Final = 8

ENDS_ATTRIBUTION: Final = re.compile(
    r"(wrote|writes|napsal(a|\(a\)|/a)?|píše|pisze|napisał(a|\(a\)|/a)?|schrieb( .{1,80})?|a écrit|escribió|ha scritto"
    r"|schreef|skrev|escreveu|написала?|пишет|пише)\s?:\s*$",
    re.IGNORECASE,
)
STARTS_ATTRIBUTION: Final = re.compile(
    r"^\s*(>\s*)*(on|am|dne|w dniu|dnia|le|el|il|op|den|em|\w{2,4}[.,]|\d{1,4}[./-]|[\w.+-]{1,80}@|<?\S{1,60} )",
    re.IGNORECASE,
)
DATED_SENDER: Final = re.compile(
    r"^\s*(\w{2,4}\.?,? )?(\d{1,2}[. /-]|\d{4}-)[^<>]{4,120}\d{1,2}[:.]\d{2}[^<>]{0,120}"
    r"<[^<>\s]{1,120}@[^<>\s]{1,120}>\s?:\s*$"
)
SEPARATOR: Final = re.compile(
    r"^[\s>]*([-_*=]{2,}\s*(original message|reply message|forwarded message|původní zpráva|přeposlaná zpráva"
    r"|oryginalna wiadomość|wiadomość oryginalna|treść oryginalnej wiadomości|ursprüngliche nachricht"
    r"|weitergeleitete nachricht|původní e-mail|исходное сообщение)|_{20,}\s*$|begin forwarded message:)",
    re.IGNORECASE,
)
HEADER_LINE: Final = re.compile(
    r"^[\s>]*\*?(from|sent|to|subject|date|cc|od|komu|odesláno|předmět|datum|do|dla|wysłano|wysłane|temat|data|dw|von"
    r"|gesendet|an|betreff|kopie|от|отправлено|кому|тема|дата|копия)\s?:\*?\s",
    re.IGNORECASE,
)
SIGNATURE: Final = re.compile(r"^\s*(--|__|—)\s*$|^-{2,3} ?$")
MOBILE: Final = re.compile(
    r"^\s*(sent from my |sent from mobile|sent from \S+ for |odesláno z |wysłano z |von meinem )", re.IGNORECASE
)
QUOTED: Final = re.compile(r"^\s*>")


def fold_reply(text: str) -> tuple[str, str]:
    """``text`` as (what is new, the quoted rest). An answer below its quote is the new part as well.

    The signature stays with what is new: it belongs to the writer.
    """
    lines = [line[:LINE_CHARACTERS] for line in text[:ANALYSED_CHARACTERS].split("\n")]
    answered = _answered_below(lines)
    cut = _first_quoted_line(lines, answered)
    if cut is not None:
        position = _position(text, cut)
        return text[:position], text[position:]
    length = _leading_quote(lines)
    position = _position(text, length)
    return (text[position:], text[:position]) if length else (text, "")


def _position(text: str, line_number: int) -> int:
    """Where a line begins in ``text``."""
    position = 0
    for _ in range(line_number):
        position = text.find("\n", position) + 1
    return position


def _answered_below(lines: Sequence[str]) -> list[bool]:
    """For each line: whether the writer answers below a quote that follows it, so that folding would hide words.

    Read from the end: ``has_words`` tells of words before the next end of mail, ``answers`` of words after a quote.
    """
    result = [False] * (len(lines) + 1)
    has_words = answers = False
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number]
        result[number] = answers
        if _ends_mail(line):
            has_words = answers = False
        elif QUOTED.match(line):
            answers = answers or has_words
        elif line.strip():
            has_words = True
    return result


def _first_quoted_line(lines: Sequence[str], answered: Sequence[bool]) -> int | None:
    for number, line in enumerate(lines):
        if SEPARATOR.match(line) or _starts_header_block(lines, number):
            return number
        if not answered[number] and (_starts_attribution(lines, number) or _starts_last_quote(lines, number)):
            return number
    return None


def _starts_last_quote(lines: Sequence[str], number: int) -> bool:
    """Whether a quote begins here and nothing but its end, or the end of the mail, follows."""
    if not QUOTED.match(lines[number]):
        return False
    for line in lines[number + 1 : number + 1 + LINE_CHARACTERS]:
        if not QUOTED.match(line):
            if _ends_mail(line):
                return True
            if line.strip():
                return False
    return True


def _starts_attribution(lines: Sequence[str], number: int) -> bool:
    """ "On Monday, Jan wrote:", also broken over several lines."""
    if not STARTS_ATTRIBUTION.match(lines[number]):
        return False
    gathered = ""
    for line in lines[number : number + ATTRIBUTION_LINES]:
        if not line.strip():
            return False
        gathered = f"{gathered} {line.strip()}"
        if ENDS_ATTRIBUTION.search(gathered[-LINE_CHARACTERS:]) or DATED_SENDER.match(gathered[-LINE_CHARACTERS:]):
            return True
    return False


def _starts_header_block(lines: Sequence[str], number: int) -> bool:
    """Outlook's way: From, Sent, To, Subject on lines of their own."""
    if not HEADER_LINE.match(lines[number]):
        return False
    following = lines[number + 1 : number + HEADER_BLOCK_LINES]
    return sum(1 for line in following if HEADER_LINE.match(line)) >= 2


def _leading_quote(lines: Sequence[str]) -> int:
    """How many lines of attribution and quote stand before the answer; 0 if the answer goes between quoted lines."""
    start = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    attribution = start
    while attribution < len(lines) and attribution < start + ATTRIBUTION_LINES and not QUOTED.match(lines[attribution]):
        attribution += 1
    if attribution > start and not _starts_attribution(lines, start):
        return 0
    end = attribution
    while end < len(lines) and (QUOTED.match(lines[end]) or not lines[end].strip()):
        end += 1
    has_quote = any(QUOTED.match(line) for line in lines[attribution:end])
    rest = lines[end:]
    is_pure = not any(QUOTED.match(line) for line in rest) and any(line.strip() for line in rest)
    return end if has_quote and is_pure else 0


def _ends_mail(line: str) -> bool:
    return bool(SIGNATURE.match(line) or MOBILE.match(line) or SEPARATOR.match(line))
