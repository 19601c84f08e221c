"""sipp as many phones at once: scenarios as text, a run, and what came of it."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SOUND: Final = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio [media_port] RTP/AVP {codec}\n"
CALLER_HEADERS: Final = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:{user}@{domain}>;tag=[call_number]
      To: <sip:{number}@{domain}>{tag}
      Call-ID: [call_id]
      Contact: <sip:{user}@[local_ip]:[local_port]>
      Max-Forwards: 70"""

CALLER: Final = """<?xml version="1.0"?>
<scenario name="caller">
  <send retrans="500"><![CDATA[
      INVITE sip:{number}@{domain} SIP/2.0
      {headers}
      CSeq: 1 INVITE
      Content-Type: application/sdp
      Content-Length: [len]

{sound}
  ]]></send>
  <recv response="407" auth="true"></recv>
  <send><![CDATA[
      ACK sip:{number}@{domain} SIP/2.0
      {headers_with_tag}
      CSeq: 1 ACK
      Content-Length: 0

  ]]></send>
  <send retrans="500"><![CDATA[
      INVITE sip:{number}@{domain} SIP/2.0
      {headers}
      CSeq: 2 INVITE
      [authentication]
      Content-Type: application/sdp
      Content-Length: [len]

{sound}
  ]]></send>
  <recv response="100" optional="true"></recv>
  <recv response="180" optional="true"></recv>
  <recv response="183" optional="true"></recv>
  <recv response="200" rrs="true" timeout="8000"></recv>
  <send><![CDATA[
      ACK [next_url] SIP/2.0
      {headers_with_tag}
      [routes]
      CSeq: 2 ACK
      Content-Length: 0

  ]]></send>
  <pause milliseconds="{hold_ms}"/>
  <send retrans="500"><![CDATA[
      BYE [next_url] SIP/2.0
      {headers_with_tag}
      [routes]
      CSeq: 3 BYE
      Content-Length: 0

  ]]></send>
  <recv response="200"></recv>
</scenario>
"""

ANSWER_HEADERS: Final = """[last_Via:]
      [last_Record-Route:]
      [last_From:]
      [last_To:]{tag}
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:[local_ip]:[local_port]>"""

CALLEE: Final = """<?xml version="1.0"?>
<scenario name="callee">
  <recv request="INVITE" crlf="true"></recv>
  <send><![CDATA[
      SIP/2.0 180 Ringing
      {answer}
      Content-Length: 0

  ]]></send>
  <send retrans="500"><![CDATA[
      SIP/2.0 200 OK
      {answer}
      Content-Type: application/sdp
      Content-Length: [len]

{sound}
  ]]></send>
  <recv request="ACK" optional="true" rtd="true" crlf="true"></recv>
  <recv request="BYE"></recv>
  <send><![CDATA[
      SIP/2.0 200 OK
      {plain}
      Content-Length: 0

  ]]></send>
</scenario>
"""

REGISTRATION: Final = """<?xml version="1.0"?>
<scenario name="registration">
  <send retrans="500"><![CDATA[
      REGISTER sip:{domain} SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:{user}@{domain}>;tag=[call_number]
      To: <sip:{user}@{domain}>
      Call-ID: [call_id]
      CSeq: 1 REGISTER
      Contact: <sip:{user}@[local_ip]:[local_port]>
      Max-Forwards: 70
      Expires: 300
      Content-Length: 0

  ]]></send>
  <recv response="401" auth="true"></recv>
  <send retrans="500"><![CDATA[
      REGISTER sip:{domain} SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:{user}@{domain}>;tag=[call_number]
      To: <sip:{user}@{domain}>
      Call-ID: [call_id]
      CSeq: 2 REGISTER
      Contact: <sip:{user}@[local_ip]:[local_port]>
      [authentication]
      Max-Forwards: 70
      Expires: 300
      Content-Length: 0

  ]]></send>
  <recv response="200"></recv>
</scenario>
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    succeeded: int
    failed: int
    took_s: float


def caller(number: str, *, user: str, domain: str, hold_s: float, codec: int = 8) -> str:
    """Calls ``number``, talks for a while, hangs up."""
    texts = {"user": user, "domain": domain, "number": number}
    return CALLER.format(
        **texts,
        headers=CALLER_HEADERS.format(**texts, tag=""),
        headers_with_tag=CALLER_HEADERS.format(**texts, tag="[peer_tag_param]"),
        sound=_sound(codec),
        hold_ms=round(hold_s * 1000),
    )


def callee(*, codec: int = 8) -> str:
    """Rings and answers at once."""
    return CALLEE.format(
        answer=ANSWER_HEADERS.format(tag=";tag=[call_number]"),
        plain=ANSWER_HEADERS.format(tag=""),
        sound=_sound(codec),
    )


def registration(*, user: str, domain: str) -> str:
    """Signs in once."""
    return REGISTRATION.format(user=user, domain=domain)


def run(folder: Path, scenario: str, *options: str, edge_port: int, sign_in: tuple[str, str], echoes: bool) -> Outcome:
    """Run to the end of its calls; sipp counts what succeeded."""
    path = folder / "caller.xml"
    path.write_text(scenario)
    user, password = sign_in
    command = [
        str(shutil.which("sipp")), f"127.0.0.1:{edge_port}", "-sf", str(path), "-i", "127.0.0.1", "-nostdin",
        "-au", user, "-ap", password, "-trace_stat", "-fd", "1", "-stf", str(folder / "stat.csv"),
        "-mp", "50000", *(["-rtp_echo"] if echoes else []), *options,
    ]  # fmt: skip
    begun = time.monotonic()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=110)  # noqa: S603  # our own arguments
    took_s = time.monotonic() - begun
    names, *rows = (line.split(";") for line in (folder / "stat.csv").read_text().splitlines() if line)
    last = dict(zip(names, rows[-1], strict=False))
    (folder / "stat.csv").unlink()
    return Outcome(int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"]), took_s)


@contextmanager
def answering(folder: Path, scenario: str, port: int) -> Iterator[None]:
    """Phones at one port that answer whatever comes, echoing the sound, until the block ends."""
    path = folder / "callee.xml"
    path.write_text(scenario)
    command = [
        str(shutil.which("sipp")), "-sf", str(path), "-i", "127.0.0.1", "-p", str(port), "-nostdin", "-rtp_echo",
        "-mp", "30000",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603  # our own arguments
    try:
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(5)


def _sound(codec: int) -> str:
    return "".join(f"      {line}\n" for line in SOUND.format(codec=codec).splitlines())
