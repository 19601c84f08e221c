"""Mails that mean harm, and bytes that mean nothing: cut, read as far as possible, always storable."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.mail.parsing.parse import parse_mail
from core.mail.parsing.parsed import Address, ParsedMail


@pytest.mark.attack(16)
@pytest.mark.parametrize(
    ("raw", "notice"),
    [
        (b"Subject: " + b"x" * 2_000_000 + b"\r\nFrom: a@x.example\r\n\r\nbody", "headers_cut"),
        (b"X-Bomb: y\r\n" * 200_000 + b"From: a@x.example\r\n\r\nbody", "headers_cut"),
        (b"To: " + b"a@x.example, " * 100_000 + b"\r\nFrom: a@x.example\r\n\r\nbody", "headers_cut"),
        (b"To: " + b"a" * 60_000 + b"\r\nFrom: a@x.example\r\n\r\nbody", None),
        (b"From: a@x.example\r\nReferences: " + b"<" * 60_000 + b"\r\n\r\nbody", None),
        (b"From: a@x.example\r\nSubject: " + b"=?utf-8?q?=C5" * 5_000 + b"\r\n\r\nbody", None),
        (
            b'From: a@x.example\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
            + b"--b\r\n\r\nx\r\n" * 3_000
            + b"--b--",
            "too_many_parts",
        ),
        (
            b"From: a@x.example\r\nContent-Type: multipart/mixed\r\n\r\n"
            + b"--b\r\nContent-Type: multipart/mixed\r\n\r\n" * 30_000,
            "too_many_parts",
        ),
        (b"From: a@x.example\r\nContent-Type: multipart/mixed\r\n\r\n--" + b" " * 3_900_000, None),
    ],
    ids=[
        "subject",
        "headers",
        "addresses",
        "no at",
        "brackets",
        "words",
        "parts",
        "no boundaries",
        "endless delimiter",
    ],
)
def test_a_bomb_is_cut_in_time_and_its_sender_still_known(raw: bytes, notice: str | None) -> None:
    started = time.monotonic()
    mail = parse_mail(raw)
    assert time.monotonic() - started < 5
    assert mail.sender == Address("", "a@x.example")
    assert notice is None or notice in mail.notices


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=2_000),
        st.builds(lambda head, body: head + b"\r\n\r\n" + body, st.binary(max_size=300), st.binary(max_size=300)),
        st.builds(
            lambda name, value, body: (
                name + b": " + value + b"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + body
            ),
            st.sampled_from([b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Content-Disposition"]),
            st.binary(max_size=200),
            st.lists(
                st.sampled_from(
                    [
                        b"--b\r\n",
                        b"--b--\r\n",
                        b"\r\n",
                        b"Content-Type: message/rfc822\r\n",
                        b"Content-Type: text/html\r\n",
                        b"Content-Transfer-Encoding: base64\r\n",
                        b"Content-Type: multipart/alternative; boundary=c\r\n",
                        b"--c\r\n",
                        b"begin 644 a\r\n",
                        b"end\r\n",
                        b"\x00\xff",
                        b"<p>&#0;&#xD800;",
                        b"\xed\xa0\x80",
                    ]
                ),
                max_size=30,
            ).map(b"".join),
        ),
    )
)
def test_any_bytes_are_a_mail_that_can_be_stored(raw: bytes) -> None:
    mail = parse_mail(raw)
    for text in _texts(mail):
        assert "\x00" not in text
        text.encode()


def _texts(mail: ParsedMail) -> list[str]:
    people = [mail.sender, *mail.reply_to, *mail.to, *mail.cc]
    found = [mail.subject, mail.text, mail.html or "", mail.message_id or "", *mail.in_reply_to, *mail.references]
    found += [part.filename + part.media_type + (part.content_id or "") for part in mail.attachments]
    return found + [one.name + one.address for one in people if one] + [json.dumps(mail.notices)]
