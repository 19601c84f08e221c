"""Whom something concerns: news of other features become notifications of those who want them.

Never of whoever did it themselves, and never of somebody who may not see what it is about. News that join an unread
notification are pushed and mailed again after an hour at the earliest.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from core.calls.causes import Cause
from core.calls.models import Call, PhoneLine
from core.foundation import clock
from core.foundation.jobs import Job, enqueue
from core.foundation.live import tell
from core.foundation.unit_of_work import Work
from core.identity.acting import acting_as
from core.identity.models import SignInSession
from core.mail.models import MailMessage, OutboundMail
from core.notifications.choices import chosen_by, those_who_want
from core.notifications.kinds import KINDS, Channel, Kind
from core.notifications.models import Notification
from core.tickets.models import Ticket
from core.timeline.models import Activity
from core.visibility.sights import viewers

TOPIC: Final = "notification"
PUSH_JOB: Final = "notifications.push"
MAIL_JOB: Final = "notifications.mail"
CLEAR_JOB: Final = "notifications.clear"
MAIL_AFTER: Final = timedelta(minutes=5)
"""Whoever has read a notification by then needs no mail."""
AGAIN_AFTER: Final = timedelta(hours=1)
CLEAR_EVERY: Final = timedelta(days=1)
MISSED: Final = frozenset({Cause.NO_ANSWER, Cause.CANCELLED, Cause.UNREACHABLE, Cause.ENGAGED, Cause.FAILED})
"""Not ``rejected``: whose line it is did that, and knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What happened, before anybody is told; the fields are those of ``Notification``.

    ``may_mail`` is False of what a program's mail began: a mail about it could come back as the next one.
    """

    kind: Kind
    key: str
    source_id: int
    detail: str = ""
    ticket_id: int | None = None
    call_id: int | None = None
    may_mail: bool = True


def tell_of_assignment(work: Work, ticket_id: int, *, owner_id: int, version: int) -> None:
    """The ticket became somebody's by a colleague's hand; nothing if it is another's again."""
    ticket = work.session.get(Ticket, ticket_id)
    if ticket is not None and ticket.owner_id == owner_id:
        news = News(kind=Kind.TICKET_ASSIGNED, key=_of_ticket(ticket_id), source_id=version, ticket_id=ticket_id)
        _give(work, [owner_id], news)


def tell_of_new_ticket(work: Work, ticket_id: int, *, by_id: int) -> None:
    """A ticket was opened: for those who asked for such news and see its category."""
    wanting = [user_id for user_id in those_who_want(work, Kind.TICKET_OPENED) if user_id != by_id]
    if wanting:
        is_automatic = select(MailMessage.flags.overlap(["automatic", "bounce"])).join(
            Activity, Activity.id == MailMessage.activity_id
        )
        first = is_automatic.where(Activity.ticket_id == ticket_id).order_by(Activity.id).limit(1)
        news = News(
            kind=Kind.TICKET_OPENED,
            key=_of_ticket(ticket_id),
            source_id=ticket_id,
            ticket_id=ticket_id,
            may_mail=not work.session.scalar(first),
        )
        _give(work, wanting, news)


def tell_of_mail_in(work: Work, activity_id: int) -> None:
    """A mail came in: the owner learns of a customer's answer, and whoever wrote last of a report that it came back."""
    found = _mail(work, activity_id)
    if found is None:
        return
    activity, flags = found
    ticket_id = activity.ticket_id or 0
    if "bounce" in flags:
        _tell_of_failure(work, activity_id, ticket_id, _last_writer(work, activity), detail="returned")
    elif "automatic" not in flags and _had_mail_before(work, activity):
        key, kind = _of_ticket(ticket_id), Kind.CUSTOMER_ANSWERED
        _give(work, [_owner(work, ticket_id)], News(kind=kind, key=key, source_id=activity_id, ticket_id=ticket_id))


def tell_of_mail_out(work: Work, activity_id: int) -> None:
    """A colleague wrote to the customer of somebody's ticket."""
    found = _mail(work, activity_id)
    owner_id = _owner(work, found[0].ticket_id or 0) if found else None
    if found and owner_id != found[0].user_id:
        ticket_id = found[0].ticket_id or 0
        key, kind = _of_ticket(ticket_id), Kind.COLLEAGUE_ANSWERED
        _give(work, [owner_id], News(kind=kind, key=key, source_id=activity_id, ticket_id=ticket_id))


def tell_of_mail_not_sent(work: Work, outbound_mail_id: int, *, state: str) -> None:
    """A mail did not leave, or not to everybody: for whoever wrote it, unless it left meanwhile."""
    mail = work.session.get(OutboundMail, outbound_mail_id)
    found = _mail(work, mail.activity_id) if mail and mail.activity_id else None
    still = {"waits": "queued", "partly": "sent"}.get(state, state)
    if mail is not None and found and mail.state == still:
        activity = found[0]
        _tell_of_failure(work, activity.id, activity.ticket_id or 0, activity.user_id, detail=state)


def tell_of_call(work: Work, call_id: int) -> None:
    """A call ended: if nobody answered it, the owner of the line missed it."""
    query = select(PhoneLine.user_id).join(Call, Call.line_id == PhoneLine.id)
    query = query.where(
        Call.id == call_id,
        Call.direction != "out",
        Call.answered_at.is_(None),
        Call.cause.in_([cause.value for cause in MISSED]),
    )
    user_id = work.session.scalar(query)
    news = News(kind=Kind.CALL_MISSED, key=f"call:{call_id}", source_id=call_id, call_id=call_id)
    _give(work, [user_id], news)


def tell_of_browser(work: Work, session_id: int) -> None:
    """A browser that is new to somebody signed in as them. The mail about it is a matter of ``core.mail``."""
    session = work.session.get(SignInSession, session_id)
    if session is not None:
        news = News(kind=Kind.NEW_BROWSER, key="browsers", source_id=session_id)
        _give(work, [session.user_id], news)


def _tell_of_failure(work: Work, activity_id: int, ticket_id: int, user_id: int | None, *, detail: str) -> None:
    key = f"mail:{activity_id}:{detail}"
    news = News(kind=Kind.MAIL_FAILED, key=key, source_id=activity_id, detail=detail, ticket_id=ticket_id)
    _give(work, [user_id], news)


# Who and what


def _of_ticket(ticket_id: int) -> str:
    return f"ticket:{ticket_id}"


def _mail(work: Work, activity_id: int) -> tuple[Activity, list[str]] | None:
    """The mail's activity, in a ticket, and its flags."""
    query = select(Activity, MailMessage.flags).join(MailMessage, MailMessage.activity_id == Activity.id)
    row = work.session.execute(query.where(Activity.id == activity_id, Activity.ticket_id.is_not(None))).one_or_none()
    return (row[0], list(row[1])) if row else None


def _owner(work: Work, ticket_id: int) -> int | None:
    return work.session.scalar(select(Ticket.owner_id).where(Ticket.id == ticket_id))


def _had_mail_before(work: Work, activity: Activity) -> bool:
    """Whether the mail answers in a ticket rather than opening one."""
    earlier = select(Activity.id).where(Activity.ticket_id == activity.ticket_id, Activity.id < activity.id).limit(1)
    return work.session.scalar(earlier) is not None


def _last_writer(work: Work, report: Activity) -> int | None:
    """Who of ours wrote the last mail of the ticket before a report about one."""
    query = select(Activity.user_id).where(
        Activity.ticket_id == report.ticket_id,
        Activity.kind == "email",
        Activity.direction == "out",
        Activity.id < report.id,
    )
    return work.session.scalar(query.order_by(Activity.id.desc()).limit(1))


# Writing it down


def _give(work: Work, user_ids: list[int | None] | list[int], news: News) -> None:
    wanted = {user_id for user_id in user_ids if user_id}
    if news.ticket_id is not None and wanted:
        wanted &= set(viewers(work, "ticket", news.ticket_id))
    told = [user_id for user_id in sorted(wanted) if _give_one(work, user_id, news)]
    if told:
        tell(work, TOPIC, told)
        clear_later(work)


def _give_one(work: Work, user_id: int, news: News) -> bool:
    """Write it down for one user, with the jobs that carry it; answers whether there was something to tell."""
    actor = acting_as(work, user_id)
    about = KINDS[news.kind]
    if actor is None or (about.permission and not actor.may(about.permission)):
        return False
    channels = chosen_by(work, user_id)[news.kind] - about.always
    if not channels or _is_told(work, user_id, news):
        return False
    wants_mail = Channel.MAIL in channels and news.may_mail
    row = work.session.execute(_upsert(user_id, news, in_app=Channel.APP in channels, wants_mail=wants_mail)).one()
    if Channel.PUSH in channels and (row.pushed_at is None or row.pushed_at < clock.now() - AGAIN_AFTER):
        enqueue(work, PUSH_JOB, {"notification_id": row.id, "user_id": user_id})
    if row.mail_wanted:
        enqueue(work, MAIL_JOB, {"user_id": user_id}, due_at=clock.now() + MAIL_AFTER)
    return True


def _is_told(work: Work, user_id: int, news: News) -> bool:
    """Whether the job ran before: then the fact, or a later one, stands there already."""
    known = select(Notification.id).where(
        Notification.user_id == user_id,
        Notification.kind == news.kind.value,
        Notification.key == news.key,
        Notification.source_id >= news.source_id,
    )
    return work.session.scalar(known.limit(1)) is not None


def _upsert(user_id: int, news: News, *, in_app: bool, wants_mail: bool) -> Any:
    added = insert(Notification).values(
        user_id=user_id,
        kind=news.kind.value,
        key=news.key,
        source_id=news.source_id,
        detail=news.detail,
        ticket_id=news.ticket_id,
        call_id=news.call_id,
        in_app=in_app,
        mail_wanted=wants_mail,
        happened_at=clock.now(),
    )
    row = added.excluded
    return added.on_conflict_do_update(
        index_elements=["tenant_id", "user_id", "kind", "key"],
        index_where=text("read_at is null"),
        set_={
            "count": Notification.count + 1,
            "source_id": row.source_id,
            "happened_at": row.happened_at,
            "in_app": row.in_app,
            "mail_wanted": or_(Notification.mail_wanted, and_(row.mail_wanted, _mail_is_old())),
        },
    ).returning(Notification.id, Notification.pushed_at, Notification.mail_wanted)


def _mail_is_old() -> ColumnElement[bool]:
    return or_(Notification.mailed_at.is_(None), Notification.mailed_at < clock.now() - AGAIN_AFTER)


def clear_later(work: Work) -> None:
    """Let old notifications be removed a day from now, unless that is planned."""
    planned = select(Job.id).where(Job.name == CLEAR_JOB, Job.due_at > clock.now()).limit(1)
    if work.session.scalar(planned) is None:
        enqueue(work, CLEAR_JOB, {}, due_at=clock.now() + CLEAR_EVERY)
