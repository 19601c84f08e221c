"""What plain text carries besides words: soft line ends (RFC 3676) and files in the manner of uuencode."""

import binascii
import re
from typing import Final

BEGIN: Final = re.compile(r"^begin (?:0?[0-7]{3}) (\S[^\n]{0,200})\n", re.MULTILINE)
UU_LINE: Final = re.compile(r"[ -`]{1,90}")
SIGNATURE: Final = "-- "


def unflowed(text: str, *, delete_space: bool) -> str:
    """Text of ``format=flowed`` with its paragraphs whole again; quotes keep their ``>`` (RFC 3676, 4)."""
    out: list[str] = []
    depth_of_open = -1
    for line in text.split("\n"):
        body = line.lstrip(">")
        depth = len(line) - len(body)
        body = body.removeprefix(" ")
        if depth == depth_of_open and body != SIGNATURE:
            out[-1] = (out[-1][:-1] if delete_space else out[-1]) + body
        else:
            out.append(f"{'>' * depth} {body}" if depth else body)
        depth_of_open = depth if body.endswith(" ") and body != SIGNATURE else -1
    return "\n".join(out)


def split_uuencoded(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text without uuencoded files, and those files with their names; what does not decode stays text."""
    files: list[tuple[str, bytes]] = []
    kept: list[str] = []
    position = 0
    for begin in BEGIN.finditer(text):
        if begin.start() < position:
            continue
        end = text.find("\nend", begin.end() - 1)
        content = _uudecoded(text[begin.end() : end]) if end >= 0 else None
        if content is None:
            continue
        kept.append(text[position : begin.start()])
        files.append((begin[1].strip(), content))
        position = end + len("\nend")
    return "".join([*kept, text[position:]]), files


def _uudecoded(block: str) -> bytes | None:
    content: list[bytes] = []
    for line in block.split("\n"):
        if not line.strip("` "):
            continue
        if not UU_LINE.fullmatch(line):
            return None
        try:
            content.append(binascii.a2b_uu(line))
        except binascii.Error:
            length = (((ord(line[0]) - 32) & 63) * 4 + 5) // 3  # some writers pad; the length byte says what counts
            try:
                content.append(binascii.a2b_uu(line[:length]))
            except binascii.Error:
                return None
    return b"".join(content) or None
