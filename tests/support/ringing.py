"""Phones that ring as a test wants them to: signed in by hand-written SIP, answering with one status, or not at all."""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.sip import Message, Phone, answer_to

STEP_S = 0.2


@dataclass
class Ringing:
    """A phone that was signed in; what it heard, in order. ``final`` None lets it ring until it is told to stop."""

    phone: Phone
    final: int | None
    heard: list[Message] = field(default_factory=list)
    is_over: bool = False

    @property
    def invites(self) -> list[Message]:
        """The calls that came."""
        return [message for message in self.heard if message.first.startswith("INVITE ")]

    @property
    def cancels(self) -> list[Message]:
        """The calls that were taken back."""
        return [message for message in self.heard if message.first.startswith("CANCEL ")]

    def serve(self) -> None:
        """Answer until the phone is switched off."""
        while not self.is_over:
            with contextlib.suppress(TimeoutError):
                self._hear(self.phone.receive(STEP_S))

    def _hear(self, message: Message) -> None:
        if message.status:
            return
        self.heard.append(message)
        if message.first.startswith("INVITE "):
            contact = f"Contact: <sip:{self.phone.user}@{self.phone.address}:{self.phone.port}>"
            self.phone.write(answer_to(message, 180, contact, tag=self.phone.user))
            if self.final is not None:
                self.phone.write(answer_to(message, self.final, tag=self.phone.user))
        elif message.first.startswith("CANCEL "):
            self.phone.write(answer_to(message, 200, tag=self.phone.user))
            self.phone.write(answer_to(self.invites[-1], 487, tag=self.phone.user))
        elif not message.first.startswith("ACK "):
            self.phone.write(answer_to(message, 200, tag=self.phone.user))


@contextmanager
def ringing(phone: Phone, *, final: int | None, registers: bool = True) -> Iterator[Ringing]:
    """A phone that answers calls with ``final``, until the block ends. A provider does not register."""
    if registers:
        assert phone.register().status == 200
    rings = Ringing(phone, final)
    thread = threading.Thread(target=rings.serve, daemon=True)
    thread.start()
    try:
        yield rings
    finally:
        rings.is_over = True
        thread.join(5)
        if registers:
            phone.register(expires=0)
