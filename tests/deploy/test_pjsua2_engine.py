"""The engine that was built on this machine: what the wheel lacks, and the change to how it answers a transfer."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.telephony.cache import Engine, Kind, check, finished
from tests.support.ports import free_port
from tests.support.sip import Message, answer_to, parse

HERE = "127.0.0.1"
TARGET = "127.0.0.7"
SDP = (
    f"v=0\r\no=- 1 1 IN IP4 {HERE}\r\ns=-\r\nc=IN IP4 {HERE}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)
AGENT = """
import sys
import pjsua2 as pj

class Call(pj.Call):
    def onCallTransferRequest(self, prm):
        prm.statusCode = 200

class Account(pj.Account):
    def onIncomingCall(self, prm):
        calls.append(Call(self, prm.callId))

calls = []
endpoint = pj.Endpoint()
endpoint.libCreate()
config = pj.EpConfig()
config.logConfig.level = config.logConfig.consoleLevel = 0
config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
endpoint.libInit(config)
transport = pj.TransportConfig()
transport.port, transport.boundAddress = int(sys.argv[1]), "127.0.0.1"
endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
endpoint.audDevManager().setNullDev()
endpoint.libStart()
mine = pj.AccountConfig()
mine.idUri = f"sip:agent@127.0.0.1:{sys.argv[1]}"
account = Account()
account.create(mine)
print("ready", flush=True)
answered = 0
while True:
    endpoint.libHandleEvents(20)
    for call in calls[answered:]:
        prm = pj.CallOpParam(True)
        prm.statusCode = 200
        call.answer(prm)
        answered += 1
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    """Our own build."""
    return finished(Kind.BUILT) or pytest.skip("pjsua2 is not built: python -m deploy.telephony builds it")


@pytest.fixture
def agent(engine: Engine) -> Iterator[int]:
    """A program that answers every call and takes transfers over; its port."""
    port = free_port()
    command = [sys.executable, "-c", AGENT, str(port)]
    environment = {"PYTHONPATH": str(engine.folder)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:  # noqa: S603  # our own code
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        yield port
        process.kill()


def test_it_carries_a_thousand_calls_and_speaks_opus(engine: Engine) -> None:
    facts = check(engine.folder, Kind.BUILT)
    assert facts.version == "2.17"
    assert {"PCMU", "PCMA", "G722", "opus"} <= set(facts.codecs)


def test_a_transfer_that_the_program_takes_over_is_accepted_and_dials_nobody(agent: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line, socket.socket(type=socket.SOCK_DGRAM) as target:
        line.bind((HERE, 0))
        line.settimeout(5)
        target.bind((TARGET, 0))
        target.settimeout(0.5)
        answered = ask(line, agent, "INVITE", 1, body=SDP.format(port=free_port()))
        assert answered.status == 200
        send(line, agent, "ACK", 1, to=answered["to"])
        refer = f"Refer-To: <sip:102@{TARGET}:{target.getsockname()[1]}>"
        assert ask(line, agent, "REFER", 2, refer, to=answered["to"]).status == 202
        notify = parse(line.recv(65535))
        line.sendto(answer_to(notify, 200), (HERE, agent))
        assert notify.first.startswith("NOTIFY ")
        assert notify["subscription-state"].startswith("terminated")
        assert notify.body.startswith("SIP/2.0 200")
        with pytest.raises(TimeoutError):
            target.recv(65535)


def ask(
    line: socket.socket, port: int, method: str, number: int, *headers: str, to: str = "", body: str = ""
) -> Message:
    """Send a request of the dialog; its final answer."""
    send(line, port, method, number, *headers, to=to, body=body)
    while True:
        answer = parse(line.recv(65535))
        if answer.status >= 200:
            return answer


def send(line: socket.socket, port: int, method: str, number: int, *headers: str, to: str = "", body: str = "") -> None:
    """Send a request of the dialog."""
    own = line.getsockname()[1]
    lines = [
        f"{method} sip:agent@{HERE}:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP {HERE}:{own};branch=z9hG4bK{method}{number}{own}",
        f"From: <sip:101@{HERE}:{own}>;tag=caller",
        f"To: {to or f'<sip:agent@{HERE}:{port}>'}",
        f"Call-ID: transfer-{own}",
        f"CSeq: {number} {method}",
        f"Contact: <sip:101@{HERE}:{own}>",
        "Max-Forwards: 70",
        *headers,
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
        "",
        body,
    ]
    line.sendto("\r\n".join(lines).encode(), (HERE, port))
