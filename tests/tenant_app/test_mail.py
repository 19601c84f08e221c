"""What a mail holds, handed out: its body in a frame that nothing escapes from, its files as downloads."""

import re

import pytest

from tests.conftest import ClientAs
from tests.support.cast import Cast
from tests.support.mails import letter, receive, ticket_of

PAYLOADS = (
    "<script>alert(1)</script>",
    "<svg><script>alert(1)</script></svg>",
    "<svg/onload=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<form action='https://evil.example'><input name=q><button>x</button></form>",
    "<iframe src='https://evil.example'></iframe>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href='https://evil.example/'>",
    "<div style='background:url(https://evil.example/x)'>x</div>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<object data='https://evil.example/x'></object>",
)
ACTIVE = re.compile(
    r"<script|onerror|onload|javascript:|<form|<iframe|<meta http|<base|url\(|<link|<object|<svg|<math|data:text",
    re.IGNORECASE,
)


@pytest.mark.attack(11)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_active_survives(client_as: ClientAs, rolled_back: None, payload: str) -> None:
    activity = receive(letter(html=f"<p>Before</p>{payload}<p>After</p>"))
    body = client_as("boris").get(f"/mail/{activity}/body")
    assert body.status_code == 200
    shown = body.text.partition("<body>")[2]
    assert "Before" in shown
    assert not ACTIVE.search(shown), shown


TABLE = "<table>" + "<tr><td>Article</td><td>12</td></tr>" * 4 + "</table>"


@pytest.mark.attack(12)
def test_remote_pictures_load_only_when_asked(client_as: ClientAs, cast: Cast, rolled_back: None) -> None:
    activity = receive(letter(html='<p>Look</p><img src="https://tracker.example/x.png">'))
    boris = client_as("boris")
    plain, asked = boris.get(f"/mail/{activity}/body"), boris.get(f"/mail/{activity}/body?images=1")
    assert "img-src data:;" in plain.headers["Content-Security-Policy"]
    assert "tracker.example" not in plain.text
    assert "img-src data: https: http:;" in asked.headers["Content-Security-Policy"]
    assert "https://tracker.example/x.png" in asked.text
    url = f"/tickets/{ticket_of(activity, tenant_id=cast.demo.tenant_id)}"
    assert f'?pictures={activity}#mail-{activity}">Load pictures' in boris.get(f"{url}?formatted={activity}").text
    loaded = boris.get(f"{url}?pictures={activity}").text
    assert f'src="/mail/{activity}/body?images=1"' in loaded
    assert "Load pictures" not in loaded


@pytest.mark.parametrize(
    ("html", "query", "is_framed"),
    [
        ("<p>Just words</p>", "", False),
        ("<p>Just words</p>", "?formatted={}", True),
        (TABLE, "", True),
        (TABLE, "?plain={}", False),
    ],
)
def test_a_mail_is_framed_if_its_layout_matters_or_somebody_asks(
    client_as: ClientAs, cast: Cast, rolled_back: None, html: str, query: str, is_framed: bool
) -> None:
    activity = receive(letter(html=html))
    url = f"/tickets/{ticket_of(activity, tenant_id=cast.demo.tenant_id)}{query.format(activity)}"
    page = client_as("boris").get(url).text
    assert (f'src="/mail/{activity}/body"' in page) is is_framed
    assert ("Show as text" in page) is is_framed
    assert ("Show as formatted" in page) is not is_framed


def test_a_frame_runs_no_script_and_is_nobodys_origin(client_as: ClientAs, cast: Cast, rolled_back: None) -> None:
    activity = receive(letter(html=TABLE))
    page = client_as("boris").get(f"/tickets/{ticket_of(activity, tenant_id=cast.demo.tenant_id)}").text
    frame = re.search(r"<iframe[^>]*>", page)
    assert frame
    assert 'sandbox="' in frame[0]
    assert "allow-scripts" not in frame[0]
    assert "allow-same-origin" not in frame[0]


def test_a_body_is_sandboxed_under_its_own_policy(client_as: ClientAs, rolled_back: None) -> None:
    answer = client_as("boris").get(f"/mail/{receive(letter(html='<p>x</p>'))}/body")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox")
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.attack(13)
@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "application/xhtml+xml"])
def test_an_active_file_is_a_download_that_nothing_runs(
    client_as: ClientAs, cast: Cast, rolled_back: None, kind: str
) -> None:
    mail = letter()
    main, _slash, sub = kind.partition("/")
    mail.add_attachment(
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", maintype=main, subtype=sub, filename="x.svg"
    )
    ticket = ticket_of(receive(mail), tenant_id=cast.demo.tenant_id)
    boris = client_as("boris")
    link = re.search(r'href="(/attachments/\d+)"', boris.get(f"/tickets/{ticket}").text)
    assert link
    answer = boris.get(link[1])
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.attack(14)
@pytest.mark.parametrize("name", ["../../etc/passwd", "a\u202egnp.exe", "zero\u200bwidth.pdf", "C:\\windows\\x.dll"])
def test_a_file_keeps_a_harmless_name(client_as: ClientAs, cast: Cast, rolled_back: None, name: str) -> None:
    mail = letter()
    mail.add_attachment(b"x", maintype="application", subtype="pdf", filename=name)
    ticket = ticket_of(receive(mail), tenant_id=cast.demo.tenant_id)
    boris = client_as("boris")
    link = re.search(r'href="(/attachments/\d+)"', boris.get(f"/tickets/{ticket}").text)
    assert link
    disposition = boris.get(link[1]).headers["Content-Disposition"]
    assert not re.search(r"[/\\\u200b\u202e]|%E2%80%8B|%E2%80%AE|%2F|%5C", disposition, re.IGNORECASE), disposition


@pytest.mark.attack(15)
def test_a_picture_of_another_mail_is_not_embedded(client_as: ClientAs, rolled_back: None) -> None:
    owner = letter(html='<img src="cid:logo@here">')
    html = owner.get_payload()[1]  # type: ignore[index]  # the alternative made just above
    html.add_related(b"\x89PNG\r\n", maintype="image", subtype="png", cid="<logo@here>")  # type: ignore[union-attr]  # as above
    own = receive(owner)
    other = receive(letter(html='<img src="cid:logo@here">', subject="Another"))
    boris = client_as("boris")
    assert "data:image/png;base64" in boris.get(f"/mail/{own}/body").text
    assert "data:image/png" not in boris.get(f"/mail/{other}/body").text


def test_the_original_is_handed_out_byte_for_byte(client_as: ClientAs, rolled_back: None) -> None:
    raw = letter(subject="Čaj").as_bytes()
    answer = client_as("vera").get(f"/mail/{receive(raw)}/raw")
    assert answer.data == raw
    assert answer.content_type.startswith("message/rfc822")
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.attack(1, 15)
def test_another_companys_mail_does_not_exist(client_as: ClientAs, cast: Cast, rolled_back: None) -> None:
    mail = letter(html="<p>x</p>")
    mail.add_attachment(b"x", maintype="application", subtype="pdf", filename="x.pdf")
    activity = receive(mail)
    page = client_as("boris").get(f"/tickets/{ticket_of(activity, tenant_id=cast.demo.tenant_id)}").text
    attachment = re.search(r"/attachments/(\d+)", page)
    assert attachment
    oleg = client_as("oleg")
    for url in (f"/mail/{activity}/body", f"/mail/{activity}/raw", attachment[0]):
        assert oleg.get(url).status_code == 404
