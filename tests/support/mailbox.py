"""A mail server that keeps what it is sent: where the product's outgoing mail arrives in tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.ports import free_port


@dataclass
class Mailbox:
    """Everything that arrived, oldest first. ``url`` is for ``CENTRALA_OUTGOING_SMTP_URL``."""

    port: int
    envelopes: list[Envelope] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where to send."""
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Keep the mail."""
        self.envelopes.append(envelope)
        return "250 2.0.0 Kept"

    def mails_to(self, address: str) -> list[EmailMessage]:
        """The mails whose envelope names ``address``."""
        return [_parsed(envelope) for envelope in self.envelopes if address in envelope.rcpt_tos]


@contextmanager
def open_mailbox() -> Iterator[Mailbox]:
    """A mailbox on a free port of loopback."""
    mailbox = Mailbox(free_port())
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


def _parsed(envelope: Envelope) -> EmailMessage:
    content = envelope.content
    if not isinstance(content, bytes):
        raise TypeError("the server was started for bytes")
    parsed = message_from_bytes(content, policy=policy.default)
    if not isinstance(parsed, EmailMessage):
        raise TypeError(type(parsed).__name__)
    return parsed
