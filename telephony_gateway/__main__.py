"""``python -m telephony_gateway n``: worker n, until SIGTERM; then no new calls, and the live ones end."""

import signal
import sys
import time
from collections.abc import Mapping
from typing import Final

import structlog

from core.foundation import clock
from core.foundation.heartbeat import start_heartbeat
from core.foundation.log import configure_logs
from core.foundation.settings import RTP_PORTS, settings
from telephony_gateway.desk import Desk
from telephony_gateway.engine import NARROW_HZ, WIDE_HZ, Engine, EngineSettings
from telephony_gateway.exchange import Exchange

GOODBYE_S: Final = 2.0
WRITING_S: Final = 1.0

log = structlog.get_logger()


def main(number: int) -> None:
    """Carry calls until told to stop."""
    configure_logs()
    name = f"gateway-{number}"
    desk = Desk(name)
    desk.close_predecessors(before=clock.now())
    engine = Engine(_engine_settings(number))
    exchange = Exchange(engine, desk)

    def figures() -> Mapping[str, int]:
        return {"calls": exchange.live, "capacity": engine.capacity}

    start_heartbeat(name, figures=figures)
    stopping: list[int] = []
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda got, _frame: stopping.append(got))
    log.info("gateway_ready", worker=name, capacity=engine.capacity)
    while not stopping:
        try:
            exchange.turn()
        except Exception:
            log.exception("turn_failed")  # one call's fault must not end the others
    _say_goodbye(exchange)
    desk.close(WRITING_S)
    engine.close()


def _engine_settings(number: int) -> EngineSettings:
    found = settings()
    return EngineSettings(
        port=found.gateway_port + number,
        edge_port=found.sip_edge_port,
        sound_host=found.sip_host,
        first_sound_port=found.rtp_port + RTP_PORTS * number,
        clock_hz=WIDE_HZ if found.wideband_calls else NARROW_HZ,
    )


def _say_goodbye(exchange: Exchange) -> None:
    exchange.stop()
    deadline = time.monotonic() + GOODBYE_S
    while exchange.live and time.monotonic() < deadline:
        exchange.turn()


if __name__ == "__main__":
    main(int(sys.argv[1]))
