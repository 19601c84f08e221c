"""Header values as text: encoded words (RFC 2047), raw bytes of any charset, parameters (RFC 2231)."""

import base64
import binascii
import codecs
import quopri
import re
from typing import Final

ENCODED_WORD: Final = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
BETWEEN_WORDS: Final = re.compile(r"(=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=)[ \t]*\r?\n?[ \t]+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")
GUESSES: Final = ("utf-8", "cp1250", "iso-8859-2")
INVISIBLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
ALIASES: Final = {"cp-850": "cp850", "x-unknown": "utf-8", "unknown-8bit": "utf-8", "ansi_x3.110-1983": "latin-1"}


def decode_header(value: str) -> str:
    """The header's text on one line, without control and direction characters."""
    joined = BETWEEN_WORDS.sub(r"\1", value)
    return clean(" ".join(_decode_words(joined).split()))


def raw_text(value: str) -> str:
    """Undo the parser's surrogate escapes: bytes that were not ASCII, in a charset that nobody named."""
    if not any("\udc80" <= character <= "\udcff" for character in value):
        return value
    return guess_charset(value.encode("utf-8", "surrogateescape"))


def decode_bytes(data: bytes, charset: str | None) -> str:
    """``data`` in its declared charset, else in the first guess that fits; never fails."""
    name = ALIASES.get((charset or "").lower(), charset or "")
    try:
        codec = codecs.lookup(name.split("*")[0].strip("'\" "))
        if codec._is_text_encoding:  # noqa: SLF001  # the only way to refuse bytes-to-bytes codecs such as zip
            return data.decode(codec.name)
    except (LookupError, UnicodeError, ValueError):
        pass
    return guess_charset(data)


def guess_charset(data: bytes) -> str:
    """Text in the first charset that fits: UTF-8, then those of Central Europe."""
    for charset in GUESSES:
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def clean(text: str) -> str:
    """``text`` without characters that nobody can see or that turn the direction of others."""
    return INVISIBLE.sub("", text)


def file_name(raw: str | None, *, fallback: str) -> str:
    """A name that is safe to show and to save: no folders, no control characters, at most 150 long (ATTACK 14)."""
    decoded = decode_header(raw or "").replace("\\", "/").rpartition("/")[2]
    name = decoded.strip(" .")[:150]
    return name or fallback


def _decode_words(text: str) -> str:
    """Decode each run of neighbouring words of one charset together: some writers cut inside a character."""
    out: list[str] = []
    position, pending, pending_charset = 0, b"", ""
    for word in ENCODED_WORD.finditer(text):
        between = text[position : word.start()]
        charset, data = word[1].lower(), _word_bytes(word[2], word[3])
        if pending and (between or charset != pending_charset):
            out.append(decode_bytes(pending, pending_charset))
            pending = b""
        out.append(raw_text(between))
        pending, pending_charset = pending + data, charset
        position = word.end()
    out += [decode_bytes(pending, pending_charset) if pending else "", raw_text(text[position:])]
    return "".join(out)


def _word_bytes(encoding: str, payload: str) -> bytes:
    raw = payload.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return quopri.decodestring(raw.replace(b"_", b" "), header=False)
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return raw
