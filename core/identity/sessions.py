"""Signed-in browsers: how one is opened, what its user sees of all of them, and how they end.

Of where a browser stands only the network is kept (the first 24 bits of an IPv4 address, 48 of an IPv6 one): enough to
tell the office from elsewhere, too little to find a flat. A browser is known by a random token of its own, of which
the table holds the SHA-256; one that is new to somebody who has others is told to these others, and by mail.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from core.foundation import clock
from core.foundation.actor import UserId
from core.foundation.errors import Forbidden, NotFound
from core.foundation.history import record_change
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.unit_of_work import Work
from core.identity.events import BrowserSeen
from core.identity.models import KnownBrowser, SecondStep, SignInSession

SESSION_LIFETIME: Final = timedelta(days=14)
BROWSER_LIFETIME: Final = timedelta(days=400)
"""As long as browsers keep a cookie (RFC 6265bis, 5.5)."""
SEEN_EVERY: Final = timedelta(minutes=5)
TOPIC: Final = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """Who knocks: what it calls itself, its IP address, and the token by which it is known ("" for none)."""

    agent: str = ""
    address: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One signed-in browser as its user sees it. ``network`` is in CIDR notation, empty if it is not known."""

    id: int
    agent: str
    network: str
    is_new: bool
    is_this: bool
    created_at: datetime
    last_seen_at: datetime


def new_browser_token() -> str:
    """A token for a browser that has none."""
    return secrets.token_urlsafe(32)


def open_session(work: Work, user_id: int, browser: Browser, *, is_vouched_for: bool = False) -> str:
    """Sign ``browser`` in; answers the session's token, which is stored nowhere. Emits ``BrowserSeen`` if it is new.

    ``is_vouched_for``: somebody else answers for the second factor, which is not asked for in this session then.
    """
    ended = delete(SignInSession).where(SignInSession.user_id == user_id, SignInSession.expires_at <= clock.now())
    work.session.execute(ended)
    token = secrets.token_urlsafe(32)
    is_new = _is_new(work, user_id, browser.token)
    session = SignInSession(
        user_id=user_id,
        token_sha256=digest(token),
        browser=browser.agent[:200],
        network=network_of(browser.address),
        is_new_browser=is_new,
        is_vouched_for=is_vouched_for,
        created_at=clock.now(),
        last_seen_at=clock.now(),
        expires_at=clock.now() + SESSION_LIFETIME,
    )
    work.session.add(session)
    work.session.flush()
    if is_new:
        emit(work, BrowserSeen(session_id=session.id))
    tell(work, TOPIC, [user_id])
    return token


def my_sessions(work: Work, token: str) -> list[SessionRow]:
    """The actor's signed-in browsers, that of ``token`` first, then by their last use."""
    rows = work.session.scalars(_open_sessions(_own_id(work)).order_by(SignInSession.last_seen_at.desc())).all()
    shown = [_as_row(row, is_this=row.token_sha256 == digest(token)) for row in rows]
    return sorted(shown, key=lambda row: not row.is_this)


def new_browsers(work: Work, token: str) -> Sequence[SessionRow]:
    """Sign-ins of new browsers that the actor has not looked at; none where the asking browser is such a one itself."""
    rows = my_sessions(work, token)
    if any(row.is_this and row.is_new for row in rows):
        return ()
    return [row for row in rows if row.is_new]


def accept_browsers(work: Work, token: str) -> None:
    """The actor knows all browsers that are signed in. A new browser cannot say so of itself."""
    if new_browsers(work, token):
        mine = SignInSession.user_id == _own_id(work)
        work.session.execute(update(SignInSession).where(mine).values(is_new_browser=False))
        tell(work, TOPIC, [_own_id(work)])


def end_session(work: Work, session_id: int) -> bool:
    """Sign one of the actor's browsers out; answers whether it was a new one. Raises ``NotFound`` for others'."""
    session = work.session.get(SignInSession, session_id)
    if session is None or session.user_id != work.actor.user_id:
        raise NotFound
    work.session.delete(session)
    record_change(work, "user", session.user_id, before={"sessions": 1}, after={"sessions": 0})
    tell(work, TOPIC, [session.user_id])
    return session.is_new_browser


def end_other_sessions(work: Work, token: str) -> int:
    """Sign all of the actor's browsers out but that of ``token``; answers how many."""
    return end_sessions(work, _own_id(work), but=token)


def end_sessions(work: Work, user_id: int, *, but: str | None = None) -> int:
    """Sign a user out everywhere, but in the browser that holds the token ``but``; answers in how many browsers.

    For services that have checked that the actor may: blocking a user, a new password. Open streams end at once, and so
    do sign-ins that wait for the second factor.
    """
    work.session.execute(delete(SecondStep).where(SecondStep.user_id == user_id))
    ended = delete(SignInSession).where(SignInSession.user_id == user_id)
    if but is not None:
        ended = ended.where(SignInSession.token_sha256 != digest(but))
    count = len(work.session.scalars(ended.returning(SignInSession.id)).all())
    if count:
        record_change(work, "user", user_id, before={"sessions": count}, after={"sessions": 0})
    tell(work, TOPIC, [user_id])
    return count


def note_use(work: Work, session: SignInSession) -> None:
    """Note, every few minutes, that a session is in use."""
    if clock.now() - session.last_seen_at > SEEN_EVERY:
        seen = update(SignInSession).where(SignInSession.id == session.id).values(last_seen_at=clock.now())
        work.session.execute(seen)


def new_browser_elsewhere() -> ColumnElement[bool]:
    """For a query of ``SignInSession``: that its user has not looked at a new browser's sign-in, and it is not that."""
    other = aliased(SignInSession)
    is_unseen = exists().where(
        other.user_id == SignInSession.user_id, other.is_new_browser, other.expires_at > clock.now()
    )
    return and_(~SignInSession.is_new_browser, is_unseen)


def digest(token: str) -> bytes:
    """What is stored of a token: of 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(token.encode()).digest()


def network_of(address: str) -> str:
    """The network of an IP address, as far as it is kept."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    return str(ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))


def _is_new(work: Work, user_id: int, token: str) -> bool:
    """Note the browser as one of this user's; whether it is new to them while they had others before."""
    known = set(work.session.scalars(select(KnownBrowser.token_sha256).where(KnownBrowser.user_id == user_id)))
    if token:
        seen = insert(KnownBrowser).values(
            user_id=user_id, token_sha256=digest(token), first_seen_at=clock.now(), last_seen_at=clock.now()
        )
        again = seen.on_conflict_do_update(
            index_elements=["tenant_id", "user_id", "token_sha256"], set_={"last_seen_at": clock.now()}
        )
        work.session.execute(again)
    forgotten = KnownBrowser.last_seen_at < clock.now() - BROWSER_LIFETIME
    work.session.execute(delete(KnownBrowser).where(KnownBrowser.user_id == user_id, forgotten))
    return bool(known) and digest(token) not in known


def _open_sessions(user_id: int) -> Select[SignInSession]:
    return select(SignInSession).where(SignInSession.user_id == user_id, SignInSession.expires_at > clock.now())


def _as_row(session: SignInSession, *, is_this: bool) -> SessionRow:
    return SessionRow(
        id=session.id,
        agent=session.browser,
        network=session.network,
        is_new=session.is_new_browser,
        is_this=is_this,
        created_at=session.created_at,
        last_seen_at=session.last_seen_at,
    )


def _own_id(work: Work) -> UserId:
    if work.actor.user_id is None:
        raise Forbidden
    return work.actor.user_id
