"""Baresip as a phone of somebody's: it plays a tone of its own and keeps what it hears."""

import json
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.ports import free_port, free_ports
from tests.support.sound import read_wav, write_wav
from tests.support.sound import tone as tone_of
from tests.support.waiting import wait_until

MODULES: Final = "/usr/lib/baresip/modules"
ANSWER_S: Final = 5.0
SIGNED_IN_S: Final = 40.0
"""A phone whose first try is lost tries again after half a minute."""

RTP_PORTS: Final = 20
SIP_PORTS: Final = 2
"""UDP and TCP at the first, TLS at the second."""

TONE_S: Final = 20

CONFIG: Final = """
module_path {modules}
module g711.so
module g722.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
sip_listen 127.0.0.1:{sip}
rtp_ports {rtp}-{last_rtp}
audio_player aubridge,nobody
snd_path {folder}
audio_source aufile,{folder}/tone.wav
audio_alert aufile,{folder}/none
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
call_max_calls 1
"""


@dataclass(frozen=True)
class Baresip:
    """A running baresip: its control port, the file of what it hears, its output."""

    process: "subprocess.Popen[bytes]"
    control: int
    folder: Path
    output: Path

    def do(self, command: str, parameters: str = "") -> None:
        """Give it a command, as its menu has them."""
        text = json.dumps({"command": command, "params": parameters, "token": "t"}).encode()
        with socket.create_connection(("127.0.0.1", self.control), timeout=ANSWER_S) as connection:
            connection.sendall(b"%d:%s," % (len(text), text))
            connection.recv(65536)

    def said(self, words: str) -> bool:
        """Whether its output has these words."""
        return words in self.output.read_text(errors="replace")

    @property
    def heard(self) -> "tuple[list[int], int]":
        """What it has heard in its newest call so far, and the rate."""
        files = sorted(self.folder.glob("dump-*-dec.wav"))
        if not files:
            return [], 8000
        samples, rate = read_wav(files[-1])
        return list(samples), rate


@contextmanager
def baresip(
    edge_port: int, user: str, password: str, domain: str, *, tone: int, answers: bool = True, codec: str = "pcma"
) -> Iterator[Baresip]:
    """A phone that has signed in, until the block ends; it answers at once or lets it ring."""
    with tempfile.TemporaryDirectory(prefix="centrala-phone-") as name:
        folder, control, sip = Path(name), free_port(), free_ports(SIP_PORTS)
        rtp = free_ports(RTP_PORTS + 2)
        output = folder / "output"
        rate = 16000 if codec == "g722" else 8000
        config = CONFIG.format(
            modules=MODULES, control=control, sip=sip, rtp=rtp + rtp % 2, last_rtp=rtp + rtp % 2 + RTP_PORTS,
            folder=folder, rate=rate,
        )  # fmt: skip
        (folder / "config").write_text(config)
        write_wav(folder / "tone.wav", tone_of(tone, TONE_S, rate=rate), rate=rate)
        mode = "auto" if answers else "manual"
        account = (
            f"<sip:{user}@{domain};transport=udp>;auth_user={user};auth_pass={password};audio_codecs={codec};"
            f'outbound="sip:127.0.0.1:{edge_port};transport=udp";regint=60;answermode={mode}\n'
        )
        (folder / "accounts").write_text(account)
        (folder / "contacts").write_text("")
        with output.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # our own arguments
                [str(shutil.which("baresip")), "-f", name, "-s"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        phone = Baresip(process, control, folder, output)
        try:
            wait_until(lambda: phone.said("200 OK"), deadline_s=SIGNED_IN_S, otherwise=phone.output.read_text)
            yield phone
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
