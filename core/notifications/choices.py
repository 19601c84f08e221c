"""What each user wants to be told, and how."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core.foundation.errors import Forbidden, Invalid
from core.foundation.i18n import _
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.notifications.kinds import KINDS, NOWHERE, Channel, Kind
from core.notifications.models import NotificationChoice

Choices = Mapping[Kind, frozenset[Channel]]


def chosen_by(work: Work, user_id: int) -> Choices:
    """By which channels the user wants each kind, with those that they cannot switch off."""
    query = select(NotificationChoice.kind, NotificationChoice.channels).where(NotificationChoice.user_id == user_id)
    stored = {kind: _known(channels) for kind, channels in work.session.execute(query)}
    return {kind: stored.get(kind.value, about.defaults) | about.always for kind, about in KINDS.items()}


def my_choices(work: Work) -> Choices:
    """The actor's choices of the kinds that they may get at all."""
    offered = offered_kinds(work)
    return {kind: channels for kind, channels in chosen_by(work, _own_id(work)).items() if kind in offered}


def offered_kinds(work: Work) -> Sequence[Kind]:
    """The kinds that the actor's permissions let them see."""
    return [kind for kind, about in KINDS.items() if about.permission is None or work.actor.may(about.permission)]


def choose(work: Work, wanted: Mapping[str, Iterable[str]]) -> None:
    """Store the actor's choices: channels by kind. Raises ``Invalid`` for kinds and channels that there are not."""
    user_id, offered = _own_id(work), {kind.value for kind in offered_kinds(work)}
    known = {channel.value for channel in Channel}
    channels = {kind: frozenset(ways) for kind, ways in wanted.items()}
    if not channels.keys() <= offered or not all(ways <= known for ways in channels.values()):
        raise Invalid({"choices": _("There is no such notification. Open the page again.")})
    rows = [{"user_id": user_id, "kind": kind, "channels": sorted(ways)} for kind, ways in channels.items()]
    if rows:
        stored = insert(NotificationChoice).values(rows)
        kept = stored.on_conflict_do_update(
            index_elements=["tenant_id", "user_id", "kind"], set_={"channels": stored.excluded.channels}
        )
        work.session.execute(kept)


def those_who_want(work: Work, kind: Kind) -> list[int]:
    """Users who get this kind by any channel; for kinds that concern everybody who sees the thing."""
    stored = select(NotificationChoice.user_id, NotificationChoice.channels)
    found = work.session.execute(stored.where(NotificationChoice.kind == kind.value))
    choices = {user_id: channels for user_id, channels in found}  # noqa: C416  # rows are no pairs to the type checker
    if KINDS[kind].defaults:
        everybody = work.session.scalars(select(UserAccount.id).where(~UserAccount.is_blocked))
        choices = {user_id: [str(way) for way in KINDS[kind].defaults] for user_id in everybody} | choices
    return sorted(user_id for user_id, channels in choices.items() if _known(channels))


def _known(channels: Iterable[str]) -> frozenset[Channel]:
    """The channels that this release knows."""
    values = set(channels)
    return frozenset(channel for channel in Channel if channel.value in values) or NOWHERE


def _own_id(work: Work) -> int:
    if work.actor.user_id is None:
        raise Forbidden
    return work.actor.user_id
