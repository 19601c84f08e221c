"""Jobs for tests of the worker: they leave rows behind that say how often they ran.

``python -m tests.support.worker_jobs 1`` is the worker with this number, which knows them.
"""

import sys
import threading
from pathlib import Path
from typing import Final

from core.foundation.actor import Actor
from core.foundation.errors import Unavailable
from core.foundation.jobs import job, registered
from core.foundation.unit_of_work import unit_of_work
from core.identity.models import UserGroup

RUNS: Final = "a job ran"

if "tests.note" not in registered:  # run as a module, this file is loaded under two names

    @job("tests.note")
    def note(actor: Actor, /, **_arguments: int | str) -> None:
        """Leave a row."""
        _leave_row(actor, RUNS)

    @job("tests.refuse")
    def refuse(_actor: Actor) -> None:
        """Be unavailable."""
        raise Unavailable("the server at jan@example.com does not answer")  # type: ignore[arg-type]  # any words

    @job("tests.break")
    def break_down(_actor: Actor) -> None:
        """Fail for a reason that nobody foresaw."""
        raise ValueError("jan@example.com")

    @job("tests.wait")
    def wait(actor: Actor, *, for_file: str) -> None:
        """Leave a row, wait for a file, leave another."""
        _leave_row(actor, "a job began")
        while not Path(for_file).exists():
            threading.Event().wait(0.05)
        _leave_row(actor, RUNS)


def _leave_row(actor: Actor, name: str) -> None:
    with unit_of_work(actor) as work:
        work.session.add(UserGroup(name=name))


if __name__ == "__main__":
    from core.worker import main

    main(sys.argv[1])
