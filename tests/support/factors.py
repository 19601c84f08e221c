"""A second factor for somebody of the cast, and the codes that their app would show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pyotp

from core.foundation import clock
from core.foundation.unit_of_work import Work
from core.identity.second_factor import STEP_S, begin_app, confirm_app, pending_app


@dataclass(frozen=True, slots=True)
class App:
    """An app that shows codes, and the recovery codes that its owner kept."""

    secret: str
    recovery_codes: Sequence[str]

    def code(self, *, steps: int = 0) -> str:
        """The code of now, or of so many steps of time later."""
        return shown_code(self.secret, steps=steps)


def shown_code(secret: str, *, steps: int = 0) -> str:
    """What an app with this secret shows now, or so many steps of time later."""
    at = int(clock.now().timestamp()) + steps * STEP_S
    return pyotp.TOTP(secret.replace(" ", "")).at(at)


def give_app(work: Work) -> App:
    """Set up a second factor for the actor; the clock then stands still, one step of time later."""
    begin_app(work)
    pending = pending_app(work)
    assert pending is not None
    codes = confirm_app(work, shown_code(pending.secret))
    wait_a_step()
    return App(pending.secret, codes)


def wait_a_step() -> None:
    """Let the app show its next code; the clock stands still then."""
    clock.hold(clock.now() + timedelta(seconds=STEP_S))
