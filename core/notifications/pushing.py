"""Web push: what is sent to a browser, signed (RFC 8292), encrypted for it alone (RFC 8291), by its push service
(RFC 8030)."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from py_vapid import Vapid02
from pywebpush import WebPusher
from sqlalchemy import Select, delete, select, update

from core.foundation import clock
from core.foundation.errors import Unavailable
from core.foundation.i18n import translate
from core.foundation.jobs import enqueue
from core.foundation.outgoing import Answer, Refused, ask, checked_url
from core.foundation.unit_of_work import Work
from core.identity.models import SignInSession
from core.mail.writing import first_address
from core.notifications.choices import my_choices
from core.notifications.keys import private_key
from core.notifications.kinds import Channel, Kind
from core.notifications.models import Notification, PushSubscription
from core.notifications.queries import find_notification
from core.tenants.service import primary_host

PUSH_TO_JOB: Final = "notifications.push_to"
SIGNED_FOR: Final = timedelta(hours=12)
"""A signature may hold for a day at most (RFC 8292, 2)."""
KEPT_BY_SERVICE_S: Final = 24 * 3600
MOST_ATTEMPTS: Final = 10
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=2)
GONE: Final = frozenset({404, 410})
LATER: Final = frozenset({408, 425, 429})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parcel:
    """A push as it leaves."""

    subscription_id: int
    endpoint: str
    headers: dict[str, str]
    body: bytes


def push_to_browsers(work: Work, notification_id: int) -> int:
    """Plan a push of the actor's notification to each of their browsers; answers to how many.

    None of what they have read, may not see any more, or do not want to be pushed any more.
    """
    if not _is_wanted(work, notification_id):
        return 0
    work.session.execute(update(Notification).where(Notification.id == notification_id).values(pushed_at=clock.now()))
    ids = list(work.session.scalars(_open_subscriptions().where(PushSubscription.user_id == work.actor.user_id)))
    for subscription_id in ids:
        _plan(work, notification_id, subscription_id, attempt=1)
    return len(ids)


def parcel_for(work: Work, notification_id: int, subscription_id: int) -> Parcel | None:
    """The push as it leaves now; None if it is not wanted any more or its browser was signed out."""
    wanted = _open_subscriptions().where(PushSubscription.id == subscription_id)
    is_open = work.session.scalar(wanted.where(PushSubscription.user_id == work.actor.user_id)) is not None
    found = find_notification(work, notification_id) if is_open and _is_wanted(work, notification_id) else None
    if found is None:
        return None
    row = work.session.get_one(PushSubscription, subscription_id)
    said = {
        "title": translate(found.title, work.actor.locale),
        "body": found.about,
        "url": f"/notifications/{found.id}",
        "tag": f"notification-{found.id}",
    }
    body = WebPusher({"endpoint": row.endpoint, "keys": {"p256dh": row.p256dh, "auth": row.auth}}).encode(
        json.dumps(said, ensure_ascii=False).encode()
    )["body"]
    headers = {
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(KEPT_BY_SERVICE_S),
        "Topic": f"notification-{found.id}"[:32],
        "Urgency": "high" if found.kind == Kind.CALL_MISSED else "normal",
        **_signature(work, row.endpoint),
    }
    return Parcel(subscription_id, row.endpoint, headers, body)


def carry(parcel: Parcel) -> Answer | None:
    """Hand the parcel to its push service; None if it does not answer. Raises nothing, and needs no transaction."""
    try:
        return ask("POST", parcel.endpoint, body=parcel.body, headers=parcel.headers)
    except Unavailable:
        return None
    except Refused:
        return Answer(410, {}, b"")  # an address that leads inside is no browser's


def settle(work: Work, parcel: Parcel, answer: Answer | None, *, notification_id: int, attempt: int) -> None:
    """Note what became of a push: a browser that is gone is forgotten, a service that cannot now is asked again."""
    mine = PushSubscription.id == parcel.subscription_id
    if answer is None or answer.status in LATER or answer.status >= 500:
        if attempt < MOST_ATTEMPTS:
            _plan(work, notification_id, parcel.subscription_id, attempt=attempt + 1)
        return
    if answer.status in GONE:
        work.session.execute(delete(PushSubscription).where(mine))
    elif 200 <= answer.status < 300:
        work.session.execute(update(PushSubscription).where(mine).values(delivered_at=clock.now()))
    else:
        log.warning("push_refused", subscription_id=parcel.subscription_id, status=answer.status)


def _plan(work: Work, notification_id: int, subscription_id: int, *, attempt: int) -> None:
    arguments: dict[str, int | str] = {
        "notification_id": notification_id,
        "user_id": work.actor.user_id or 0,
        "subscription_id": subscription_id,
        "attempt": attempt,
    }
    pause = min(FIRST_PAUSE * 2 ** (attempt - 2), LONGEST_PAUSE) if attempt > 1 else timedelta()
    enqueue(work, PUSH_TO_JOB, arguments, due_at=clock.now() + pause)


def _is_wanted(work: Work, notification_id: int) -> bool:
    """Whether the actor's notification is there, unread, and wanted as a push as their choices are now."""
    found = find_notification(work, notification_id)
    return found is not None and not found.is_read and Channel.PUSH in my_choices(work)[Kind(found.kind)]


def _open_subscriptions() -> Select[int]:
    """Subscriptions whose sign-in lasts."""
    return (
        select(PushSubscription.id)
        .join(SignInSession, SignInSession.id == PushSubscription.session_id)
        .where(SignInSession.expires_at > clock.now(), SignInSession.user_id == PushSubscription.user_id)
    )


def _signature(work: Work, endpoint: str) -> dict[str, str]:
    parts = checked_url(endpoint)
    sender = first_address(work) or f"no-reply@{primary_host(work)}"
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((clock.now() + SIGNED_FOR).timestamp()),
        "sub": f"mailto:{sender}",
    }
    signed: dict[str, str] = Vapid02(private_key=private_key(work), conf={"no-strict": True}).sign(claims)
    return signed
