"""Proof that it is still the signed-in person who asks, before what only they may change."""

from flask import request

from core.foundation.unit_of_work import unit_of_work
from core.identity.attempts import begin_attempt
from core.identity.own_account import prove
from core.identity.second_factor import prove_twice
from tenant_app.security import Viewer


def is_proven(person: Viewer, password: str) -> bool:
    """Whether ``password`` is the viewer's own; a wrong one counts as a failed sign-in.

    It counts whatever becomes of the request. Raises ``Unavailable`` after too many of them.
    """
    with unit_of_work(person.actor()) as work:
        attempt = begin_attempt(work, person.email, address=request.remote_addr or "")
    with unit_of_work(person.actor()) as work:
        return prove(work, attempt, password)


def wrong_proof(person: Viewer, password: str, code: str) -> str | None:
    """The same of somebody with a second factor: which of both was wrong, by the name of its field; None if none."""
    with unit_of_work(person.actor()) as work:
        attempt = begin_attempt(work, person.email, address=request.remote_addr or "")
    with unit_of_work(person.actor()) as work:
        return prove_twice(work, attempt, password, code)
