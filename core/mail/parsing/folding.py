"""What is new in a reply, and what it quotes. Nothing is lost: both parts together are the text.

Looks at lines, each a bounded number of times, in at most 64 KB (ATTACK 25).
"""

import re
from typing import Final

ANALYSED_CHARACTERS: Final = 64 * 1024
LINE_CHARACTERS: Final = 400
ATTRIBUTION_LINES: Final = 4

ENDS_ATTRIBUTION: Final = re.compile(
    r"(wrote|writes|napsal(a|\(a\)|/a)?|píše|pisze|napisał(a|\(a\)|/a)?|schrieb( .{1,80})?|a écrit|escribió|ha scritto"
    r"|schreef|skrev|escreveu)\s?:\s*$",
    re.IGNORECASE,
)
STARTS_ATTRIBUTION: Final = re.compile(
    r"^\s*(>\s*)*(on|am|dne|w dniu|dnia|le|el|il|op|den|em|\w{2,4}[.,]|\d{1,4}[./-]|[\w.+-]{1,80}@|<?\S{1,60} )",
    re.IGNORECASE,
)
SEPARATOR: Final = re.compile(
    r"^[\s>]*([-_*=]{2,}\s*(original message|reply message|forwarded message|původní zpráva|přeposlaná zpráva"
    r"|oryginalna wiadomość|wiadomość oryginalna|treść oryginalnej wiadomości|ursprüngliche nachricht"
    r"|weitergeleitete nachricht)|_{20,}\s*$|begin forwarded message:)",
    re.IGNORECASE,
)
HEADER_LINE: Final = re.compile(
    r"^[\s>]*\*?(from|sent|to|subject|date|cc|od|komu|odesláno|předmět|datum|do|wysłano|temat|data|dw|von|gesendet|an"
    r"|betreff)\s?:\*?\s",
    re.IGNORECASE,
)
FIRST_HEADER: Final = re.compile(r"^[\s>]*\*?(from|od|von)\s?:\*?\s", re.IGNORECASE)
SIGNATURE: Final = re.compile(r"^\s*(--|__|—)\s*$|^-{2,3} ?$")
MOBILE: Final = re.compile(
    r"^\s*(sent from my |sent from mobile|sent from \S+ for |odesláno z |wysłano z |von meinem )", re.IGNORECASE
)
QUOTED: Final = re.compile(r"^\s*>")


def fold_reply(text: str) -> tuple[str, str]:
    """``text`` as (what is new, the quoted rest); joined they are ``text`` again."""
    head = text[:ANALYSED_CHARACTERS]
    lines = head.split("\n")
    cut = _first_quoted_line(lines)
    if cut is None:
        return text, ""
    position = sum(len(line) + 1 for line in lines[:cut])
    return text[:position], text[position:]


def _first_quoted_line(lines: list[str]) -> int | None:
    for number, whole in enumerate(lines):
        line = whole[:LINE_CHARACTERS]
        if SEPARATOR.match(line) or _starts_header_block(lines, number) or _starts_attribution(lines, number):
            return number
        if (SIGNATURE.match(line) or MOBILE.match(line)) and _is_near_end(lines, number):
            return number
        if QUOTED.match(line) and not _is_answered_below(lines, number):
            return number
    return None


def _starts_attribution(lines: list[str], number: int) -> bool:
    """ "On Monday, Jan wrote:", also broken over several lines."""
    if not STARTS_ATTRIBUTION.match(lines[number][:LINE_CHARACTERS]):
        return False
    gathered = ""
    for line in lines[number : number + ATTRIBUTION_LINES]:
        if not line.strip():
            return False
        gathered = f"{gathered} {line[:LINE_CHARACTERS].strip()}"
        if ENDS_ATTRIBUTION.search(gathered[-LINE_CHARACTERS:]):
            return not _is_answered_below(lines, number)
    return False


def _starts_header_block(lines: list[str], number: int) -> bool:
    """Outlook's way: From, Sent, To, Subject on lines of their own."""
    if not FIRST_HEADER.match(lines[number][:LINE_CHARACTERS]):
        return False
    following = [line[:LINE_CHARACTERS] for line in lines[number + 1 : number + 6]]
    return sum(1 for line in following if HEADER_LINE.match(line)) >= 2


def _is_answered_below(lines: list[str], number: int) -> bool:
    """Whether the writer answers between the quoted lines, so that folding would hide words of theirs."""
    seen_quote = False
    for line in lines[number + 1 :]:
        if QUOTED.match(line[:LINE_CHARACTERS]):
            seen_quote = True
        elif seen_quote and line.strip() and not _ends_mail(line):
            return True
        elif seen_quote and _ends_mail(line):
            return False
    return False


def _ends_mail(line: str) -> bool:
    return bool(SIGNATURE.match(line) or MOBILE.match(line) or SEPARATOR.match(line))


def _is_near_end(lines: list[str], number: int) -> bool:
    return len(lines) - number <= 40 or any(QUOTED.match(line) for line in lines[number : number + 40])
