"""Messages that are none, or barely: the telephone edge answers or is silent, and serves the next phone as before."""

import re
import socket

import pytest

from tests.support.edge import DEMO, Edge, phone
from tests.support.sip import Phone, Worker, messages_of

GOOD = (
    "Via: SIP/2.0/UDP {here};branch=z9hG4bK{branch};rport",
    "From: <sip:101@demo.localhost>;tag=a{branch}",
    "To: <sip:102@demo.localhost>",
    "Call-ID: {branch}",
    "CSeq: 1 {method}",
    "Contact: <sip:101@{here}>",
    "Max-Forwards: 70",
    "Content-Length: 0",
)
SURVIVED = frozenset({0, 200, 400, 401, 403, 404, 405, 407, 413, 414, 416, 420, 481, 483, 500, 501, 505, 513})


def text(method: str = "INVITE", uri: str = f"sip:102@{DEMO}", version: str = "SIP/2.0", **changed: str | None) -> str:
    """A request with some of its header lines changed, or left out."""
    lines = []
    for line in GOOD:
        key = line.partition(":")[0].lower().replace("-", "_")
        new = changed.get(key, line)
        lines += [] if new is None else [new]
    lines += [str(value) for key, value in changed.items() if key.startswith("more") and value]
    return "\r\n".join([f"{method} {uri} {version}", *lines, "", str(changed.get("body") or "")])


def register(**changed: str | None) -> str:
    """A REGISTER, changed likewise."""
    return text("REGISTER", f"sip:{DEMO}", "SIP/2.0", **changed)


def without(name: str, **changed: str | None) -> str:
    """An INVITE that lacks a header line."""
    changed[name] = None
    return text("INVITE", f"sip:102@{DEMO}", "SIP/2.0", **changed)


# After the cases of RFC 4475, in words of our own.
MESSAGES = {
    "folded and oddly spaced, but valid": text(
        version="SIP/2.0",
        to="TO :\r\n sip:102@demo.localhost ;  tag    = 1918181833n",
        cseq="cseq:  0009\r\n  INVITE",
        via="v:  SIP  / 2.0\r\n /UDP {here};branch=z9hG4bK{branch}",
    ),
    "every character that a token may have": text(
        method="!interesting-Method0123456789_*+`.%indeed'~", cseq="CSeq: 1 !interesting-Method0123456789_*+`.%indeed'~"
    ),
    "escaped nulls in the user": register(to="To: <sip:null-%00-null@demo.localhost>"),
    "percent signs that escape nothing": text(uri="sip:102%ZZ%@demo.localhost"),
    "a semicolon in the user": text(uri="sip:102;par=1@demo.localhost"),
    "long values everywhere": text(more="User-Agent: " + "x" * 8000, call_id="Call-ID: " + "y" * 3000),
    "a display name without an end": without("from", more='From: "Broken <sip:101@demo.localhost>;tag=1'),
    "two Via lines of which one is none": text(more="Via: SIP/2.0/UDP"),
    "an unknown transport in Via": text(via="Via: SIP/2.0/CARRIERPIGEON {here};branch=z9hG4bK{branch}"),
    "no Via": text(via=None),
    "no From": without("from"),
    "no To": text(to=None),
    "no Call-ID": text(call_id=None),
    "no CSeq": text(cseq=None),
    "CSeq names another method": text(cseq="CSeq: 1 BYE"),
    "a CSeq too large": text(cseq="CSeq: 99999999999999999999 INVITE"),
    "a negative Content-Length": text(content_length="Content-Length: -999"),
    "a Content-Length larger than the message": text(content_length="Content-Length: 9999"),
    "a Content-Length that is a word": text(content_length="Content-Length: many"),
    "a body that is shorter than said": text(content_length="Content-Length: 100", body="v=0"),
    "two different Content-Lengths": text(more="Content-Length: 17"),
    "a wrong version": text(version="SIP/7.0"),
    "no version": text(version=""),
    "a version that is a word": text(version="SIP/one"),
    "an address in angle brackets": text(uri="<sip:102@demo.localhost>"),
    "blanks inside the address": text(uri="sip:102@demo.localhost; lr"),
    "blanks around the address": text(uri="  sip:102@demo.localhost "),
    "an unknown scheme": text(uri="nobodyKnowsThisScheme:totallyopaquecontent"),
    "another protocol's address": text(uri="http://demo.localhost/102"),
    "no address": text(uri=""),
    "a port too large": text(uri="sip:102@demo.localhost:99999999"),
    "no hops left": text(max_forwards="Max-Forwards: 0"),
    "hops below none": text(max_forwards="Max-Forwards: -5"),
    "hops beyond counting": text(max_forwards="Max-Forwards: 300000000000"),
    "an extension that is required": text(more="Require: nothingSupportsThis, nothingSupportsThisEither"),
    "a date of no calendar": text(more="Date: Fri, 01 Jan 2010 16:00:00 EST"),
    "many contacts and a star": register(contact="Contact: *, <sip:1@h>, <sip:2@h>"),
    "a star without an end of time": register(contact="Contact: *", more="Expires: 3600"),
    "credentials that are garbage": register(more='Authorization: Digest username="\x01, realm=,,,nonce'),
    "credentials of no scheme": register(more="Authorization: NoOneKnowsThisScheme opaque-data=here"),
    "a thousand headers": text(more="\r\n".join(f"X-Filler-{number}: 1" for number in range(1000))),
    "five hundred hops behind it": text(more="\r\n".join(["Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx"] * 500)),
    "a dialog that never was": text("BYE", cseq="CSeq: 1 BYE", to="To: <sip:102@demo.localhost>;tag=never"),
    "an ACK of nothing": text("ACK", cseq="CSeq: 1 ACK"),
    "a CANCEL of nothing": text("CANCEL", cseq="CSeq: 1 CANCEL"),
    "an answer to nothing": "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKnone\r\nCSeq: 1 INVITE\r\n\r\n",
    "an answer with a status of its own": "SIP/2.0 4294967301 better not break\r\nVia: SIP/2.0/UDP {here}\r\n\r\n",
    "nothing but line ends": "\r\n\r\n\r\n\r\n",
    "binary": "\x00\x01\x02\xff" * 200,
    "a first line without an end": "INVITE " + "sip:" * 5000,
    "headers without an end": "INVITE sip:102@demo.localhost SIP/2.0\r\nVia: SIP/2.0/UDP {here}",
    "a command for a shell": text(uri="sip:$(reboot)`reboot`@demo.localhost", more="User-Agent: () {{ :; }}; reboot"),
    "format directives": text(uri="sip:%s%n%x$var(x)@demo.localhost", more="User-Agent: %s%s%n$shv(x)"),
    "an alias that leads inside": text(contact="Contact: <sip:101@127.0.0.1;alias=127.0.0.1~5070~2>"),
}  # fmt: skip


@pytest.mark.attack(49)
@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_that_is_none_does_no_harm(edge: Edge, name: str) -> None:
    device = phone(edge, "101")
    device.write(_filled(MESSAGES[name], device))
    assert _status(device) in SURVIVED
    assert _still_serves(edge)


@pytest.mark.attack(49)
def test_cut_at_every_byte_it_does_no_harm(edge: Edge) -> None:
    device = phone(edge, "101")
    whole = device.request("REGISTER", f"sip:{DEMO}", "Authorization: Digest username=101", to="101")
    for length in range(1, len(whole), 7):
        device.write(whole[:length])
    assert _still_serves(edge)


@pytest.mark.attack(49)
def test_garbage_on_every_stream_does_no_harm(edge: Edge) -> None:
    settings = edge.settings
    for port in (settings.sip_port, settings.sips_port, settings.sip_ws_port):
        for garbage in (
            b"\x00" * 5000,
            b"\x16\x03\x01\xff\xff" * 50,
            b"INVITE " * 20000,
            b"Content-Length: -1\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
                line.sendall(garbage)
    assert _still_serves(edge)


@pytest.mark.attack(49)
def test_a_message_too_large_is_refused(edge: Edge) -> None:
    device = phone(edge, "101")
    device.write(device.request("REGISTER", f"sip:{DEMO}", "X-Filler: " + "x" * 20000, to="101"))
    assert device.receive().status == 513


@pytest.mark.attack(49)
def test_no_torture_reaches_a_worker(edge: Edge, worker: Worker) -> None:
    for message in MESSAGES.values():
        device = phone(edge, "101")
        device.write(_filled(message, device))
        device.line.close()
    assert _still_serves(edge)
    assert worker.heard == []


def test_two_messages_in_one_piece_of_a_stream_are_two(edge: Edge) -> None:
    device = phone(edge, "101")
    request = device.request("OPTIONS", f"sip:{DEMO}", to="101").replace(b"/UDP", b"/TCP")
    with socket.create_connection(("127.0.0.1", edge.port), timeout=5) as line:
        line.sendall(request + request)
        answers = messages_of(line)
        assert [next(answers).status, next(answers).status] == [200, 200]


@pytest.mark.attack(49)
def test_the_log_tells_of_none_of_their_contents(edge: Edge) -> None:
    for message in MESSAGES.values():
        device = phone(edge, "101")
        device.write(_filled(message, device))
        device.line.close()
    assert _still_serves(edge)
    log = edge.log.read_text()
    assert not re.search(r"sip:|demo\.localhost|CARRIERPIGEON|username|totallyopaque", log)


def _filled(message: str, device: Phone) -> bytes:
    here = f"{device.address}:{device.port}"
    filled = message.replace("{here}", here).replace("{branch}", device.call_id).replace("{{", "{").replace("}}", "}")
    return re.sub(r"\{method\}", filled.partition(" ")[0], filled).encode("latin-1", "replace")


def _status(device: Phone) -> int:
    try:
        return device.receive(0.15).status
    except TimeoutError:
        return 0


def _still_serves(edge: Edge) -> bool:
    return edge.process.poll() is None and phone(edge, "101", "").register().status == 401
