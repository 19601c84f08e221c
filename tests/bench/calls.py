"""What one worker carries, with sipp as its phones, through a real edge: ``python -m tests.bench.calls [wideband]``.

Every figure of calls at once stands beside a call of two other phones (baresip), whose tones must come back whole:
counts of successful calls hide starved sound. All processes share this machine; CPU is the worker's own.
"""

import contextlib
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg

from core.foundation.live import CHANNEL
from core.foundation.settings import settings
from tests.bench import sipp
from tests.support.baresip import baresip
from tests.support.cast import create_cast
from tests.support.database import TEMPLATE, environment_for, migrate, using, worker_server
from tests.support.edge import DEMO
from tests.support.gateway import Gateway, running_gateway
from tests.support.ports import free_port
from tests.support.ringing import ringing
from tests.support.sip import Message, Phone
from tests.support.sound import share_with_tone
from tests.support.waiting import wait_until

STEPS: Final = (25, 50, 100, 150, 200, 250)
HOLD_S: Final = 26.0
RATE: Final = 20
RING_AFTER_S: Final = 9
LOW_HZ, HIGH_HZ = 440, 1000
SOUND_PORTS: Final = "10000"
SETUP_RATES: Final = (20, 50, 100)
SAMPLES: Final = 30
REGISTRATIONS: Final = 3000
G722: Final = 9
PCMA: Final = 8
WHOLE: Final = 0.9
TARGETS: Final = {False: 0.12, True: 0.25}


class Listening(Phone):
    """A phone that notes when it was told that the other one rings."""

    rung_at = 0.0

    def receive(self, timeout_s: float = 5.0) -> Message:
        """The next message; what a retransmission brings late is waited for."""
        message = super().receive(2 * timeout_s)
        if message.status == 180:
            self.rung_at = time.monotonic()
        return message


def say(line: str) -> None:
    """Print a line of the table."""
    print(line, flush=True)


def main(*, is_wide: bool) -> None:
    """Print the table."""
    with worker_server() as (postgres, folder), TemporaryDirectory() as name:
        postgres.create_database(TEMPLATE)
        environment = environment_for(postgres, TEMPLATE, folder)
        migrate(environment["CENTRALA_OWNER_DATABASE_URL"])
        with using(environment):
            cast = create_cast(environment["CENTRALA_OWNER_DATABASE_URL"])
        postgres.create_database("bench", template=TEMPLATE)
        more = {
            "CENTRALA_RTP_PORT": SOUND_PORTS,
            "CENTRALA_SIP_REQUESTS_PER_SECOND": "30000",
            "CENTRALA_WIDEBAND_CALLS": str(int(is_wide)),
        }
        with running_gateway(postgres, folder, cast, "bench", **more) as gateway:
            measure(gateway, Path(name), is_wide=is_wide)


def measure(gateway: Gateway, folder: Path, *, is_wide: bool) -> None:
    """All measurements, one after the other."""
    with engaged_phones(gateway, folder, is_wide=is_wide):
        say(f"calls at once, bridged and recorded, {'wideband' if is_wide else 'narrowband'}")
        say(
            f"{'calls':>6} {'ok':>6} {'failed':>7} {'another call heard':>18} {'CPU s/call-minute':>18} {'× target':>9}"
        )
        for calls in STEPS:
            if not calls_at_once(gateway, folder, calls, is_wide=is_wide):
                break
        if not is_wide:
            setups_per_second(gateway, folder)
    if not is_wide:
        latencies(gateway, folder)
        registrations(gateway, folder)


@contextmanager
def engaged_phones(gateway: Gateway, folder: Path, *, is_wide: bool) -> Iterator[None]:
    """sipp behind line 102, from the port from which its phone signed in."""
    device = gateway.demo.phones["102"]
    signed_in = Phone(gateway.edge.port, device.sip_username, str(device.password), DEMO, port=free_port())
    signed_in.register(expires=3600)
    signed_in.line.close()
    with sipp.answering(folder, sipp.callee(codec=G722 if is_wide else PCMA), signed_in.port):
        yield


def calls_at_once(gateway: Gateway, folder: Path, calls: int, *, is_wide: bool) -> bool:
    """One line of the table; answers whether the other call's sound came back whole.

    CPU is counted while all calls stand, without their set-up, which has a table of its own.
    """
    device = gateway.demo.phones["101"]
    codec = G722 if is_wide else PCMA
    scenario = sipp.caller("102", user=device.sip_username, domain=DEMO, hold_s=HOLD_S, codec=codec)
    heard: list[float] = []
    spent: list[float] = []
    watchers = (
        threading.Thread(target=lambda: heard.append(sound_of_another_call(gateway, is_wide=is_wide))),
        threading.Thread(target=lambda: spent.append(cpu_while_they_stand_s(gateway, calls))),
    )
    for watcher in watchers:
        watcher.start()
    options = ("-m", str(calls), "-l", str(calls), "-r", str(RATE))
    sign_in = (device.sip_username, str(device.password))
    outcome = sipp.run(folder, scenario, *options, edge_port=gateway.edge.port, sign_in=sign_in, echoes=True)
    for watcher in watchers:
        watcher.join()
    share, each = heard[0] if heard else 0.0, spent[0]
    ratio = each / TARGETS[is_wide]
    say(f"{calls:>6} {outcome.succeeded:>6} {outcome.failed:>7} {share:>18.0%} {each:>18.3f} {ratio:>9.2f}")
    for path in (gateway.folder / "recordings").glob("*.wav"):
        path.unlink()
    return share > WHOLE and not outcome.failed


def cpu_while_they_stand_s(gateway: Gateway, calls: int) -> float:
    """CPU seconds a minute of a call, between the last set-up and the first end."""
    ramp_s = calls / RATE + 3
    threading.Event().wait(ramp_s)
    before_s = cpu_s(gateway)
    window_s = HOLD_S - ramp_s - 1
    threading.Event().wait(window_s)
    return (cpu_s(gateway) - before_s) / ((calls + 1) * window_s / 60)


def sound_of_another_call(gateway: Gateway, *, is_wide: bool) -> float:
    """A call from 103 to Boris' line amid the others: the smaller share of the tones that arrived."""
    vera, boris = gateway.demo.phones["103"], gateway.demo.phones["101"]
    codec = "g722" if is_wide else "pcma"
    with (
        baresip(gateway.edge.port, vera.sip_username, str(vera.password), DEMO, tone=LOW_HZ, codec=codec) as caller,
        baresip(gateway.edge.port, boris.sip_username, str(boris.password), DEMO, tone=HIGH_HZ, codec=codec) as called,
    ):
        threading.Event().wait(RING_AFTER_S)
        caller.do("dial", f"sip:101@{DEMO}")
        with contextlib.suppress(AssertionError):
            wait_until(lambda: len(caller.heard[0]) > 8 * caller.heard[1], deadline_s=16)
        shares = []
        for phone, frequency in ((caller, HIGH_HZ), (called, LOW_HZ)):
            samples, rate = phone.heard
            shares.append(share_with_tone(samples[rate:], frequency, rate) if samples else 0.0)
        caller.do("hangup")
    return min(shares)


def setups_per_second(gateway: Gateway, folder: Path) -> None:
    """Calls that are answered and ended at once."""
    device = gateway.demo.phones["101"]
    scenario = sipp.caller("102", user=device.sip_username, domain=DEMO, hold_s=0)
    say(
        f"\nset-ups a second, recorded\n{'asked':>6} {'reached':>8} {'failed':>7} {'CPU ms/set-up':>14} {'target ×':>9}"
    )
    for rate in SETUP_RATES:
        before_s = cpu_s(gateway)
        options = ("-m", str(rate * 8), "-r", str(rate), "-l", "400")
        sign_in = (device.sip_username, str(device.password))
        outcome = sipp.run(folder, scenario, *options, edge_port=gateway.edge.port, sign_in=sign_in, echoes=False)
        each_ms = (cpu_s(gateway) - before_s) * 1000 / max(1, outcome.succeeded)
        reached = outcome.succeeded / outcome.took_s
        say(f"{rate:>6} {reached:>8.1f} {outcome.failed:>7} {each_ms:>14.2f} {each_ms / 5:>9.2f}")
        for path in (gateway.folder / "recordings").glob("*.wav"):
            path.unlink()


def latencies(gateway: Gateway, folder: Path) -> None:
    """From the INVITE to 180, and to the word that wakes the browser, alone and amid 50 calls."""
    say(f"\nafter the INVITE, ms\n{'calls':>6} {'180 p50':>8} {'180 p95':>8} {'card p50':>9} {'card p95':>9}")
    _latencies(gateway, 0)
    device = gateway.demo.phones["101"]
    scenario = sipp.caller("102", user=device.sip_username, domain=DEMO, hold_s=25)
    options = ("-m", "50", "-l", "50", "-r", "25")
    sign_in = (device.sip_username, str(device.password))
    with engaged_phones(gateway, folder, is_wide=False):
        load = threading.Thread(
            target=lambda: sipp.run(
                folder, scenario, *options, edge_port=gateway.edge.port, sign_in=sign_in, echoes=True
            )
        )
        load.start()
        threading.Event().wait(4)
        _latencies(gateway, 50)
        load.join()


def _latencies(gateway: Gateway, calls: int) -> None:
    boris, vera = gateway.demo.phones["101"], gateway.demo.phones["103"]
    url = settings().database_url.replace("postgresql+psycopg://", "postgresql://")
    rung, told = [], []
    called = Phone(gateway.edge.port, boris.sip_username, str(boris.password), DEMO)
    with ringing(called, final=486), psycopg.connect(url, autocommit=True) as listener:
        listener.execute(f"listen {CHANNEL}")
        for _number in range(SAMPLES):
            caller = Listening(gateway.edge.port, vera.sip_username, str(vera.password), DEMO)
            cards: list[float] = []
            watcher = threading.Thread(target=lambda: _watch(listener, cards))  # noqa: B023  # joined below
            watcher.start()
            begun = time.monotonic()
            caller.invite("101")
            rung.append((caller.rung_at - begun) * 1000)
            watcher.join()
            told.append((cards[0] - begun) * 1000)
            list(listener.notifies(timeout=0.4))  # what the call's end says
    p95_rung, p95_told = (statistics.quantiles(values, n=20)[-1] for values in (rung, told))
    say(
        f"{calls:>6} {statistics.median(rung):>8.1f} {p95_rung:>8.1f} {statistics.median(told):>9.1f} {p95_told:>9.1f}",
    )


def _watch(listener: "psycopg.Connection[tuple[object, ...]]", cards: list[float]) -> None:
    for notice in listener.notifies(timeout=5):
        if '"my-call"' in notice.payload:
            cards.append(time.monotonic())
            return


def registrations(gateway: Gateway, folder: Path) -> None:
    """Phones that sign in, each written to PostgreSQL before it is answered."""
    device = gateway.demo.phones["103"]
    scenario = sipp.registration(user=device.sip_username, domain=DEMO)
    options = ("-m", str(REGISTRATIONS), "-r", "2000", "-l", "60")
    sign_in = (device.sip_username, str(device.password))
    outcome = sipp.run(folder, scenario, *options, edge_port=gateway.edge.port, sign_in=sign_in, echoes=False)
    say(f"\nregistrations a second: {outcome.succeeded / outcome.took_s:.0f} ({outcome.failed} failed)")


def cpu_s(gateway: Gateway) -> float:
    """What the worker has spent so far."""
    pid = gateway.process.pid if gateway.process else 0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main(is_wide="wideband" in sys.argv[1:])
