"""Running what follows from events, as the relay and the worker would."""

from datetime import timedelta

from sqlalchemy import delete, select

from core.foundation import clock
from core.foundation.actor import Actor, Door, TenantId, system_actor
from core.foundation.jobs import Job, registered
from core.foundation.outbox import StoredEvent
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.models import SignInSession
from core.identity.sessions import Browser, digest, open_session
from core.notifications.models import Notification
from core.wiring import jobs_after


def run_news(tenant_id: TenantId, *, until: timedelta = timedelta()) -> list[str]:
    """Turn events into notifications and run what is due by ``until`` from now; answers the names of the jobs."""
    product, ran = system_actor(tenant_id, door=Door.JOB), []
    for event_name, payload in _events(product):
        for name in jobs_after(event_name):
            if name.startswith("notifications."):
                registered[name](product, **payload)
                ran.append(name)
    for name, arguments in _due(product, until):
        registered[name](product, **arguments)
        ran.append(name)
    while due := _due(product, timedelta()):  # what these brought about
        for name, arguments in due:
            registered[name](product, **arguments)
            ran.append(name)
    return ran


def _events(product: Actor) -> list[tuple[str, dict[str, int | str]]]:
    with unit_of_work(product) as work:
        taken = delete(StoredEvent).returning(StoredEvent.id, StoredEvent.name, StoredEvent.payload)
        return [(name, payload) for _id, name, payload in sorted(work.session.execute(taken).all(), key=lambda r: r[0])]


def _due(product: Actor, until: timedelta) -> list[tuple[str, dict[str, int | str]]]:
    with unit_of_work(product) as work:
        due = (Job.due_at <= clock.now() + until, Job.name.startswith("notifications."))
        taken = delete(Job).where(*due).returning(Job.id, Job.name, Job.arguments)
        return [(name, payload) for _id, name, payload in sorted(work.session.execute(taken).all(), key=lambda r: r[0])]


def told(work: Work, user_id: int) -> list[tuple[str, int]]:
    """What a user was told, oldest first: kinds and counts."""
    query = select(Notification).where(Notification.user_id == user_id).order_by(Notification.id)
    return [(row.kind, row.count) for row in work.session.scalars(query)]


def signed_in_session(work: Work, user_id: int, agent: str = "Firefox") -> tuple[str, int]:
    """Another browser of a user's: its token and its id."""
    token = open_session(work, user_id, Browser(agent=agent))
    found = select(SignInSession.id).where(SignInSession.token_sha256 == digest(token))
    return token, work.session.scalars(found).one()
