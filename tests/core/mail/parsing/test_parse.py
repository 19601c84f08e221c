"""Mails of every make: what is body, what is a file, who wrote, in which letters."""

import base64

import pytest

from core.mail.parsing.parse import parse_headers, parse_mail
from core.mail.parsing.parsed import Address, ParsedMail

HEAD = b"From: Jana <jana@customer.example>\r\nTo: support@demo.localhost\r\nSubject: Hello\r\nMIME-Version: 1.0\r\n"


def mail_of(*lines: str | bytes) -> ParsedMail:
    return parse_mail(HEAD + b"\r\n".join(line.encode() if isinstance(line, str) else line for line in lines))


def multipart(subtype: str, *parts: str) -> ParsedMail:
    body = "".join(f"--b\r\n{part}\r\n" for part in parts)
    return mail_of(f'Content-Type: multipart/{subtype}; boundary="b"', "", body + "--b--", "")


def names(mail: ParsedMail) -> list[str]:
    return [part.filename for part in mail.attachments]


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-2022-jp", "日本語の本文"),
        ("gb18030", "简体中文"),
        ("koi8-r", "Привет, мир"),
        ("utf-7", "Příliš žluťoučký"),
        ("windows-1250", "Příliš žluťoučký kůň"),
        ("windows-1251", "Здравствуйте"),
        ("big5", "繁體中文"),
        ("shift_jis", "日本語"),
        ("euc-kr", "한국어"),
        ("iso-8859-2", "Zażółć gęślą jaźń"),
        ("utf-16", "Žluť"),
    ],
)
def test_the_declared_charset_is_read(charset: str, text: str) -> None:
    content = base64.b64encode(text.encode(charset)).decode()
    mail = mail_of(f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: base64", "", content)
    assert mail.text.strip() == text


@pytest.mark.parametrize(
    ("label", "content", "text"),
    [
        ("iso-8859-1", "“quoted” – 5 €".encode("cp1252"), "“quoted” – 5 €"),
        ("iso-8859-1", "žluť".encode(), "žluť"),
        ("us-ascii", "žluťoučký".encode("cp1250"), "žluťoučký"),
        ("gb2312", "镕".encode("gbk"), "镕"),
        ("utf-8", "žluť a kůň".encode()[:-1], "žluť a ků\ufffd"),
        ("x-nonsense", "kůň".encode(), "kůň"),
        ("utf-8", "Příliš žluťoučký".encode("cp1250"), "Příliš žluťoučký"),
    ],
)
def test_a_wrong_charset_is_seen_through(label: str, content: bytes, text: str) -> None:
    mail = mail_of(f"Content-Type: text/plain; charset={label}", "Content-Transfer-Encoding: 8bit", "", content)
    assert mail.text.startswith(text)


def test_text_without_a_charset_is_guessed_and_says_so() -> None:
    mail = mail_of("", "žluťoučký kůň".encode("cp1250"))
    assert mail.text == "žluťoučký kůň"
    assert "charset_guessed" in mail.notices


def test_html_may_name_its_charset_itself() -> None:
    page = b'<html><head><meta charset="koi8-r"></head><body>' + "Привет".encode("koi8-r") + b"</body></html>"
    assert mail_of("Content-Type: text/html", "", page).text == "Привет"


def test_raw_bytes_in_headers_are_read_in_the_charset_of_the_text() -> None:
    raw = (
        "From: Иван <ivan@customer.example>\r\nSubject: Заказ\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n"
    ).encode("koi8-r")
    mail = parse_mail(raw)
    assert mail.subject == "Заказ"
    assert mail.sender == Address("Иван", "ivan@customer.example")


def test_soft_line_ends_are_joined_and_quotes_stay() -> None:
    body = "One long \r\nparagraph.\r\n> quoted \r\n> text\r\n-- \r\nJana"
    mail = mail_of("Content-Type: text/plain; format=flowed", "", body)
    assert mail.text == "One long paragraph.\n> quoted text\n-- \nJana"


def test_a_calendar_invitation_is_a_file() -> None:
    mail = multipart(
        "alternative",
        "Content-Type: text/plain\r\n\r\nMeeting",
        "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR",
    )
    assert (mail.text, names(mail)) == ("Meeting", ["part-1.ics"])


def test_what_outlook_wraps_stays_a_file() -> None:
    mail = multipart(
        "mixed",
        "Content-Type: text/plain\r\n\r\nHello",
        'Content-Type: application/ms-tnef; name="winmail.dat"\r\nContent-Transfer-Encoding: base64\r\n\r\neJ8+',
    )
    assert names(mail) == ["winmail.dat"]
    assert mail.attachments[0].content == b"x\x9f>"


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ('Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"', "smime.p7m"),
        ("Content-Type: application/pkcs7-mime; smime-type=signed-data", "part-1.p7m"),
        ("Content-Type: application/pdf; name=order.pdf", "order.pdf"),
    ],
)
def test_a_mail_that_is_one_file_has_an_empty_text(headers: str, name: str) -> None:
    mail = mail_of(headers, "Content-Transfer-Encoding: base64", "", "aGVsbG8=")
    assert (mail.text, mail.html, names(mail)) == ("", None, [name])
    assert mail.attachments[0].content == b"hello"


def test_an_encrypted_mail_keeps_both_its_parts() -> None:
    mail = multipart(
        "encrypted",
        "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1",
        'Content-Type: application/octet-stream; name="encrypted.asc"\r\n\r\n-----BEGIN PGP MESSAGE-----',
    )
    assert [part.media_type for part in mail.attachments] == ["application/pgp-encrypted", "application/octet-stream"]


def test_an_enclosed_mail_is_a_file_named_by_its_subject() -> None:
    enclosed = "From: x@y.example\r\nSubject: Old/order\r\n\r\nThe old text"
    mail = multipart("mixed", "\r\nSee below", f"Content-Type: message/rfc822\r\n\r\n{enclosed}")
    assert mail.text == "See below"
    assert names(mail) == ["Old-order.eml"]
    assert b"The old text" in mail.attachments[0].content


def test_an_enclosed_mail_in_base64_is_decoded_although_that_is_forbidden() -> None:
    enclosed = base64.b64encode(b"From: x@y.example\r\nSubject: Old\r\n\r\nText").decode()
    mail = multipart(
        "mixed", "\r\nHi", f"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{enclosed}"
    )
    assert b"Subject: Old" in mail.attachments[0].content


def test_a_digest_holds_mails() -> None:
    mail = multipart("digest", "\r\nSubject: First\r\n\r\n1", "\r\nSubject: Second\r\n\r\n2")
    assert names(mail) == ["First.eml", "Second.eml"]


def test_html_alone_is_readable_as_text() -> None:
    mail = mail_of("Content-Type: text/html; charset=utf-8", "", "<p>Dobrý den</p><ul><li>kůň</li></ul>")
    assert mail.text == "Dobrý den\n\n- kůň"
    assert mail.html is not None


def test_an_alternative_shows_its_text_once() -> None:
    mail = multipart("alternative", "Content-Type: text/html\r\n\r\n<p>Hi</p>", "Content-Type: text/plain\r\n\r\nHi")
    assert mail.text == "Hi"


def test_text_between_html_is_lost_in_neither_form() -> None:
    mail = multipart("mixed", "\r\nfirst <b>", "Content-Type: text/html\r\n\r\n<p>second</p>", "\r\nthird")
    assert [mail.text.index(word) for word in ("first", "second", "third")] == sorted(
        mail.text.index(word) for word in ("first", "second", "third")
    )
    assert mail.html is not None
    assert "first &lt;b&gt;" in mail.html
    assert "third" in mail.html


def test_uuencoded_files_come_out_of_the_text() -> None:
    mail = mail_of("", "Before", "begin 644 note.txt", "#0V%T", "`", "end", "After")
    assert names(mail) == ["note.txt"]
    assert mail.attachments[0].content == b"Cat"
    assert "Before" in mail.text
    assert "After" in mail.text


def test_words_that_look_like_uuencode_stay_text() -> None:
    mail = mail_of("", "begin 644 something", "with words, not codes é", "end")
    assert (names(mail), "with words" in mail.text) == ([], True)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename*0*=utf-8''%C5%BElu%C5%A5; filename*1=ou.pdf", "žluťou.pdf"),
        ("attachment; filename*=iso-8859-2''k%F9%F2.pdf", "kůň.pdf"),
        ('attachment; filename="=?utf-8?B?a8WvxYgucGRm?="', "kůň.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\temp\\\\a.exe"', "a.exe"),
        ('attachment; filename="a\u202egpj.exe"', "agpj.exe"),
        ('attachment; filename="in\u200bvoice.pdf"', "invoice.pdf"),
        ('attachment; filename="kůň.pdf"', "kůň.pdf"),
        ("attachment; filename*=utf-7''%2B2AA-.pdf", "\ufffd.pdf"),
        ("attachment", "part-1.pdf"),
        (f'attachment; filename="{"n" * 300}.pdf"', "n" * 146 + ".pdf"),
    ],
)
@pytest.mark.attack(14)
def test_a_files_name_is_readable_and_harmless(disposition: str, name: str) -> None:
    mail = multipart("mixed", "\r\nHi", f"Content-Type: application/pdf\r\nContent-Disposition: {disposition}\r\n\r\nx")
    assert names(mail) == [name]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("To: A <a@x.example>, b@x.example", ["a@x.example", "b@x.example"]),
        ("To: Team: A <a@x.example>, b@x.example;", ["a@x.example", "b@x.example"]),
        ("To: undisclosed-recipients:;", []),
        ("To: Broken group: a@x.example", ["a@x.example"]),
        ('To: "Novák, Jan" <jan@x.example>', ["jan@x.example"]),
        ("To: <a@x.example", ["a@x.example"]),
        ("To: a@x.example; b@x.example", ["a@x.example", "b@x.example"]),
        ("To: " + ", ".join(f"u{n}@x.example" for n in range(700)), [f"u{n}@x.example" for n in range(500)]),
        ("To: " + "a" * 400 + "@x.example", [""]),
    ],
)
def test_addresses_are_read_as_far_as_they_can_be(header: str, found: list[str]) -> None:
    mail = parse_mail(header.encode() + b"\r\n\r\nx")
    assert [one.address for one in mail.to if one.address] == [address for address in found if address]


def test_an_encoded_reference_is_still_one() -> None:
    mail = parse_mail(b"In-Reply-To: =?utf-8?q?=3Cc=2E17=40demo=2Elocalhost=3E?=\r\n\r\nx")
    assert mail.in_reply_to == ("c.17@demo.localhost",)


def test_the_first_of_several_subjects_and_the_sender_behind_an_empty_from_count() -> None:
    mail = parse_mail(b"Subject: one\r\nSubject: two\r\nFrom:\r\nSender: s@x.example\r\n\r\nx")
    assert mail.subject == "one"
    assert mail.sender == Address("", "s@x.example")


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\x00\x00", b"just words", b"\xff\xfe\xfd", b"Subject\r\n\r\n"])
def test_next_to_nothing_is_a_mail_without_headers(raw: bytes) -> None:
    mail = parse_mail(raw)
    assert (mail.sender, mail.sent_at, mail.message_id) == (None, None, None)


@pytest.mark.parametrize(
    "raw",
    [
        b"From someone Mon Jan  1 00:00:00 2024\r\nSubject: x\r\nFrom: a@x.example\r\n\r\nbody",
        b"Subject: x\nFrom: a@x.example\n\nbody",
        b"Subject: x\rFrom: a@x.example\r\rbody",
        b"\r\n\r\nSubject: x\r\nFrom: a@x.example\r\n\r\nbody",
        b"\xef\xbb\xbfSubject: x\r\nFrom: a@x.example\r\n\r\nbody",
        b"a broken line\r\nSubject: x\r\nFrom: a@x.example\r\n\r\nbody",
        b"Subject : x\r\nFrom : a@x.example\r\n\r\nbody",
    ],
)
def test_odd_beginnings_and_line_ends_hide_nothing(raw: bytes) -> None:
    mail = parse_mail(raw)
    assert (mail.subject, mail.sender, mail.text) == ("x", Address("", "a@x.example"), "body")


def test_a_mail_cut_off_shows_what_came_and_keeps_it_as_a_file() -> None:
    mail = mail_of('Content-Type: multipart/mixed; boundary="b"', "", "--b", "", "The beginning of a")
    assert mail.text == "The beginning of a"
    assert mail.notices == ("incomplete",)
    assert mail.attachments[0].content == b"The beginning of a"


@pytest.mark.parametrize(
    ("header", "line", "end"),
    [
        ('multipart/mixed; boundary="b"', "--b added on the way", "--b-- added on the way"),
        ('multipart/mixed; boundary="lost"', "--b", "--b--"),
        ('multipart/mixed;\r\nboundary="b"', "--b", "--b--"),
        ("multipart/mixed", "--b", "--b--"),
    ],
    ids=["longer", "another", "not folded", "none"],
)
def test_parts_are_found_although_their_boundary_is_wrong(header: str, line: str, end: str) -> None:
    file = "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8="
    parts = f"{line}\r\nContent-Type: text/plain\r\n\r\nHi\r\n{line}\r\n{file}\r\n{end}\r\n"
    mail = mail_of(f"Content-Type: {header}", "", parts)
    assert (mail.text, names(mail), mail.notices) == ("Hi", ["a.pdf"], ())
    assert mail.attachments[0].content == b"hello"


def test_a_multipart_that_shows_no_parts_is_text_and_kept_as_a_file() -> None:
    mail = mail_of('Content-Type: multipart/mixed; boundary="b"', "", "Just words", "-- ", "Jana")
    assert mail.text == "Just words\n-- \nJana"
    assert mail.attachments[0].content == b"Just words\r\n-- \r\nJana"


def test_broken_base64_is_kept_as_a_file() -> None:
    mail = multipart("mixed", "\r\nHi", "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n?garbage")
    assert names(mail) == ["part-1.txt"]


def test_nul_bytes_and_lone_surrogates_can_be_stored() -> None:
    mail = mail_of("Content-Type: text/plain; charset=utf-7", "", b"a\x00b +2AA- c")
    assert mail.text.encode()
    assert "\x00" not in mail.text


def test_emoji_and_scripts_with_joiners_stay_whole_in_the_text() -> None:
    assert mail_of("Content-Type: text/plain; charset=utf-8", "", "👩‍👩‍👧 می‌خواهم").text == "👩‍👩‍👧 می‌خواهم"


def test_a_list_or_a_person_is_not_a_machine() -> None:
    written = parse_mail(b"List-Id: <team.x.example>\r\nPrecedence: list\r\nAuto-Submitted: no\r\n\r\nx")
    answered = parse_mail(b"Auto-Submitted: auto-replied\r\n\r\nx")
    assert (written.is_automatic, answered.is_automatic) == (False, True)


def test_a_person_who_forwards_or_asks_about_a_report_is_no_report() -> None:
    for subject in (
        "Fwd: Undelivered Mail Returned to Sender",
        "Re: delivery failure",
        "Delivery problem with order 17",
    ):
        mail = parse_mail(f"From: Jan <jan@x.example>\r\nSubject: {subject}\r\n\r\ncould not be delivered".encode())
        assert not mail.is_bounce, subject


def test_a_report_names_the_mail_that_it_is_about() -> None:
    mail = parse_mail(
        b"From: MAILER-DAEMON@x.example\r\nSubject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\n\r\nSorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        b"Action: failed\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        b"Subject: Hi\r\nMessage-ID: <c.17.aa.bb@demo.localhost>\r\n\r\n--b--\r\n"
    )
    assert (mail.is_bounce, mail.reported_ids) == (True, ("c.17.aa.bb@demo.localhost",))


@pytest.mark.parametrize("encoding", ["base64", "7bit"])
def test_a_large_body_comes_back_whole_also_from_an_enclosed_mail(encoding: str) -> None:
    content = b"\x00\x01\xfeabc" * 300_000
    lines = base64.encodebytes(content).decode()
    inner = f"Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{lines}"
    mail = multipart("mixed", "\r\nHi", inner, f"Content-Type: message/rfc822\r\n\r\nSubject: Old\r\n{inner}")
    outer, enclosed = (part.content for part in mail.attachments)
    assert base64.b64decode(outer) == content if encoding == "7bit" else outer == content
    assert lines[-2_000:].split()[-5] in enclosed.decode()
    assert len(enclosed) > len(lines)


def test_headers_alone_can_be_read_of_a_mail_whose_body_cannot() -> None:
    mail = parse_headers(HEAD + b"\r\n" + b"x" * 1000)
    assert (mail.subject, mail.sender, mail.text) == ("Hello", Address("Jana", "jana@customer.example"), "")
