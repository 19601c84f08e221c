"""The inbound mail server (RFC 5321), on loopback: ``python -m core.mail.smtp``.

It says ``250`` to a mail only after the commit; an unknown recipient is 550, too large a mail 552, and while the
database or the file store is away it says 451, so that the sender keeps the mail and tries again.
"""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.foundation.errors import Unavailable
from core.foundation.heartbeat import start_heartbeat
from core.foundation.log import configure_logs
from core.foundation.settings import settings
from core.mail.intake import Delivery, accept_mail, delivery_for

MAX_MAIL_BYTES: Final = 50 * 2**20
AT_ONCE: Final = 8
MAX_RECIPIENTS: Final = 100
MAX_CONNECTIONS: Final = 50
MAX_COMMANDS: Final = {"*": 1_000}
LATER: Final = "451 4.3.0 The mail cannot be stored right now; try again later"
FULL: Final = b"421 4.3.2 Too many connections; try again later\r\n"
TOO_MANY: Final = "452 4.5.3 Too many recipients; send the mail again to the others"
UNKNOWN: Final = "550 5.1.1 Nobody here has this address"

log = structlog.get_logger()


class Intake:
    """aiosmtpd's handler. Database work runs in threads, a few at a time."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="intake")
        self._connections = 0

    def enter(self) -> bool:
        """Let one more connection in, if there is room."""
        if self._connections >= MAX_CONNECTIONS:
            return False
        self._connections += 1
        return True

    def leave(self) -> None:
        """One connection fewer."""
        self._connections -= 1

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Accept a recipient that leads to a tenant."""
        try:
            delivery = await self._in_thread(delivery_for, address)
        except (DBAPIError, PoolTimeoutError) as error:
            log.warning("recipient_not_checked", error=type(error).__name__)
            return LATER
        if delivery is None:
            return UNKNOWN
        gathered = _deliveries(envelope)
        if len(gathered) >= MAX_RECIPIENTS:
            return TOO_MANY
        if delivery not in gathered:
            gathered.append(delivery)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Store the mail; the answer follows the commit."""
        raw = envelope.original_content or b""
        store = partial(accept_mail, raw, sender=envelope.mail_from or "", deliveries=_deliveries(envelope))
        try:
            await self._in_thread(store)
        except (DBAPIError, PoolTimeoutError, Unavailable) as error:
            log.warning("mail_not_stored", error=type(error).__name__)
            return LATER
        log.info("mail_stored", size_bytes=len(raw), deliveries=len(_deliveries(envelope)))
        return "250 2.0.0 Stored"

    async def handle_exception(self, error: Exception) -> str:
        """Whatever else goes wrong, the sender keeps the mail."""
        log.error("smtp_failed", exc_info=error)
        return LATER

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def _deliveries(envelope: Envelope) -> list[Delivery]:
    """The deliveries that this envelope has gathered so far."""
    found: list[Delivery] = envelope.__dict__.setdefault("centrala_deliveries", [])
    return found


class _Connection(SMTP):
    """One connection. More than the limit are sent away, so that the mails in the making have enough memory."""

    def connection_made(self, transport: Any) -> None:
        """Greet, unless the house is full (RFC 5321, 3.8)."""
        self._is_in = self.event_handler.enter()
        if self._is_in:
            super().connection_made(transport)
        else:
            transport.write(FULL)
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Leave the place to another."""
        if self._is_in:
            self.event_handler.leave()
            super().connection_lost(error)


def make_server(handler: Intake) -> SMTP:
    """One connection's protocol; a bare line feed never ends a line, so no second mail can hide in one (ATTACK 21)."""
    return _Connection(
        handler,
        data_size_limit=MAX_MAIL_BYTES,
        enable_SMTPUTF8=True,
        hostname=settings().base_domain,
        ident="Centrala",
        timeout=120,
        command_call_limit=MAX_COMMANDS,
    )


async def serve(stopping: asyncio.Event) -> None:
    """Serve on loopback until ``stopping``."""
    handler = Intake()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: make_server(handler), "127.0.0.1", settings().smtp_port)
    log.info("smtp_listens", port=settings().smtp_port)
    async with server:
        await stopping.wait()


async def _main() -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await serve(stopping)


if __name__ == "__main__":
    configure_logs()
    start_heartbeat("smtp")
    asyncio.run(_main())
