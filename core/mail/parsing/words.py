"""Text from bytes and header values: charsets, encoded words (RFC 2047), what may be stored and shown."""

import base64
import binascii
import codecs
import quopri
import re
from typing import Final

ENCODED_WORD: Final = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
BETWEEN_WORDS: Final = re.compile(r"(=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=)[ \t]*\r?\n?[ \t]+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")
GUESSES: Final = ("utf-8", "cp1250", "iso-8859-2")
UNSTORABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ufeff]")
INVISIBLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
NO_ESCAPE: Final = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
JAPANESE_ESCAPE: Final = re.compile(rb"\x1b\$[@B]")
FILE_NAME_CHARACTERS: Final = 150

WIDER: Final = {
    "latin-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
    "iso2022_jp": "iso2022_jp_ext",
}
"""What writers mean by a name (WHATWG Encoding, 4.2): the wider charset that contains the named one."""
ALIASES: Final = {
    "cp-850": "cp850",
    "unicode-1-1-utf-7": "utf-7",
    "x-gbk": "gb18030",
    "x-sjis": "cp932",
    "ks_c_5601-1987": "cp949",
    "windows-874": "cp874",
    "iso-8859-8-i": "iso-8859-8",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
}
NOT_CHARSETS: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})


def decode_header(value: str, charset: str | None = None) -> str:
    """The header's text on one line, without control and direction characters; ``charset`` is for its raw bytes."""
    joined = BETWEEN_WORDS.sub(r"\1", value)
    return clean(" ".join(_decode_words(joined, charset).split()))


def raw_text(value: str, charset: str | None = None) -> str:
    """Undo the parser's surrogate escapes: bytes that were not ASCII, in UTF-8, ``charset`` or a guess."""
    if not SURROGATE.search(value):
        return value
    data = escaped_bytes(value)
    return guess_charset(data) if _is_utf8(data) else decode_bytes(data, charset)


def escaped_bytes(text: str) -> bytes:
    """The bytes that the parser's text stands for; what it cannot stand for becomes U+FFFD."""
    return NO_ESCAPE.sub("\ufffd", text).encode("utf-8", "surrogateescape")


def decode_bytes(data: bytes, charset: str | None) -> str:
    """``data`` in its declared charset, else in the first guess that fits; never fails."""
    codec = _codec(charset or "")
    if codec is None or codec == "ascii" or (codec == "cp1252" and _is_utf8(data)):
        return guess_charset(data)
    try:
        return data.decode(codec)
    except UnicodeError:
        return _mostly(data, codec) or guess_charset(data)


def guess_charset(data: bytes) -> str:
    """Text in the first charset that fits: Japanese by its escapes, UTF-8, then those of Central Europe."""
    guesses = ("iso2022_jp_ext", *GUESSES) if JAPANESE_ESCAPE.search(data) else GUESSES
    for charset in guesses:
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def clean(text: str) -> str:
    """``text`` without characters that nobody can see or that turn the direction of others: for names and headers."""
    return SURROGATE.sub("\ufffd", INVISIBLE.sub("", text))


def storable(text: str) -> str:
    """``text`` as PostgreSQL can hold it, joiners of scripts and emoji kept: for bodies."""
    return SURROGATE.sub("\ufffd", UNSTORABLE.sub("", text))


def file_name(raw: str | None, *, fallback: str) -> str:
    """A name that is safe to show and to save: no folders, no control characters, at most 150 long (ATTACK 14)."""
    name = decode_header(raw or "").replace("\\", "/").rpartition("/")[2].strip(" .")
    if len(name) > FILE_NAME_CHARACTERS:
        stem, dot, ending = name.rpartition(".")
        kept = dot + ending if dot and len(ending) <= 10 else ""
        name = (stem or name)[: FILE_NAME_CHARACTERS - len(kept)] + kept
    return name or fallback


def _codec(charset: str) -> str | None:
    """Python's name of the codec that reads what is labelled ``charset``; None for unknown ones."""
    label = charset.split("*")[0].strip("'\" ").lower()
    try:
        found = codecs.lookup(ALIASES.get(label, label))
    except (LookupError, ValueError, UnicodeError):
        return None
    is_text = found._is_text_encoding  # noqa: SLF001  # the only way to refuse bytes-to-bytes codecs such as zip
    if not is_text or found.name.replace("-", "_") in NOT_CHARSETS:
        return None
    return WIDER.get(found.name, found.name)


def _is_utf8(data: bytes) -> bool:
    """Whether it is UTF-8 beyond doubt: text in another charset is practically never valid UTF-8 by chance."""
    if data.isascii():
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _mostly(data: bytes, codec: str) -> str | None:
    """The text if the declared charset fits all but a few bytes, such as a character that was cut in two."""
    text = data.decode(codec, "replace")
    bad = text.count("\ufffd")
    good = sum(1 for character in text if character > "\x7f") - bad
    return text if good >= bad else None


def _decode_words(text: str, raw_charset: str | None) -> str:
    """Decode each run of neighbouring words of one charset together: some writers cut inside a character."""
    out: list[str] = []
    position, pending, pending_charset = 0, b"", ""
    for word in ENCODED_WORD.finditer(text):
        between = text[position : word.start()]
        charset, data = word[1].lower(), _word_bytes(word[2], word[3])
        if pending and (between or charset != pending_charset):
            out.append(decode_bytes(pending, pending_charset))
            pending = b""
        out.append(raw_text(between, raw_charset))
        pending, pending_charset = pending + data, charset
        position = word.end()
    out += [decode_bytes(pending, pending_charset) if pending else "", raw_text(text[position:], raw_charset)]
    return "".join(out)


def _word_bytes(encoding: str, payload: str) -> bytes:
    raw = escaped_bytes(payload)
    if encoding in "qQ":
        return quopri.decodestring(raw.replace(b"_", b" "), header=False)
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return raw
