"""Creating, renaming, opening, closing, granting and deleting what rows hang on.

Only owners do it: whoever could grant a database could grant it to themselves. Address books are made and changed
where they are at home (``core.directory.books``), for they also say how far they go onto phones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from core.directory.events import DatabaseOpened
from core.foundation.errors import Conflict, Invalid, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import Message, _
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.unit_of_work import Work
from core.identity import user_groups
from core.identity.models import UserGroup
from core.identity.naming import LONGEST, cleaned_name
from core.identity.owners import require_owner
from core.visibility.consequences import Difference, consequences_of
from core.visibility.kinds import GRANTED, Granted, Kind
from core.visibility.queries import contents_of, grants_of_group

CHANNELS: Final = ("email", "call", "sms")
MADE_HERE: Final = frozenset({Kind.DATABASE, Kind.QUEUE, Kind.CATEGORY})
EVERYTHING: Final = "refresh"
"""The live topic by which every open page of the company asks again for what it shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingDraft:
    """A database, queue or category to store. ``groups`` count where not everyone sees it; ``channel`` is a queue's."""

    name: str
    everyone_sees: bool = True
    groups: frozenset[int] = frozenset()
    channel: str = ""


def create_thing(work: Work, kind: Kind, draft: ThingDraft) -> int:
    """Store a new one and answer its id. Raises ``Forbidden``, ``Invalid``."""
    require_owner(work)
    granted = _made_here(kind)
    values = _checked(work, kind, draft, own_id=None)
    thing = granted.model(**values)
    work.session.add(thing)
    work.session.flush()
    groups = _write_grants(work, granted, thing.id, draft)
    record_change(work, granted.subject, thing.id, before={}, after={**values, "groups": groups})
    tell(work, EVERYTHING)
    return int(thing.id)


def change_thing(work: Work, kind: Kind, thing_id: int, draft: ThingDraft) -> None:
    """Store another name and who sees it; emits ``DatabaseOpened`` if a database is opened to everyone or closed.

    Raises ``Forbidden``, ``NotFound``, ``Invalid``. Pages and phones obey at their next look.
    """
    require_owner(work)
    granted = _made_here(kind)
    thing = _locked(work, granted, thing_id)
    before = _stored(work, granted, thing)
    _write(work, kind, thing, draft)
    if not record_change(work, granted.subject, thing_id, before=before, after=_stored(work, granted, thing)):
        return
    if kind is Kind.DATABASE and before["everyone_sees"] != thing.everyone_sees:
        emit(work, DatabaseOpened(thing_id))
    tell(work, EVERYTHING)


def consequences_of_change(work: Work, kind: Kind, thing_id: int, draft: ThingDraft) -> list[Difference]:
    """What ``change_thing`` would do to what people see. Raises what it raises."""
    require_owner(work)
    thing = _locked(work, _made_here(kind), thing_id)
    return consequences_of(work, lambda: _write(work, kind, thing, draft))


def delete_thing(work: Work, kind: Kind, thing_id: int) -> None:
    """Delete one that nothing is in. Raises ``Forbidden``, ``NotFound``, ``Conflict``."""
    require_owner(work)
    granted = _made_here(kind)
    thing = _locked(work, granted, thing_id)
    if contents := contents_of(work, kind, [thing_id]).get(thing_id):
        count = sum(contents.values())
        raise Conflict(_("Nothing was deleted: it is not empty (%(count)d things are in it).", count=count))
    if kind is not Kind.QUEUE and not work.session.scalar(select(func.count()).where(granted.model.id != thing_id)):
        raise Conflict(_("Nothing was deleted: it is the last one, and new things need a place."))
    record_change(work, granted.subject, thing_id, before=_stored(work, granted, thing), after={})
    try:
        with work.session.begin_nested():
            work.session.execute(delete(granted.model).where(granted.model.id == thing_id))
    except IntegrityError as error:
        raise Conflict(_("Nothing was deleted: something else still uses it.")) from error
    tell(work, EVERYTHING)


def delete_user_group(work: Work, group_id: int) -> None:
    """Delete an empty user group with its grants, which the history of each thing tells (TC-18).

    Raises ``Forbidden``, ``NotFound``, ``Conflict``.
    """
    for granted_thing in grants_of_group(work, group_id):
        granted = GRANTED[granted_thing.kind]
        groups = _groups(work, granted, granted_thing.id)
        record_change(
            work,
            granted.subject,
            granted_thing.id,
            before={"groups": groups},
            after={"groups": [other for other in groups if other != group_id]},
        )
    user_groups.delete_user_group(work, group_id)


def _write(work: Work, kind: Kind, thing: Any, draft: ThingDraft) -> None:
    for field, value in _checked(work, kind, draft, own_id=thing.id).items():
        setattr(thing, field, value)
    work.session.flush()
    _write_grants(work, GRANTED[kind], thing.id, draft)


def _write_grants(work: Work, granted: Granted, thing_id: int, draft: ThingDraft) -> list[int]:
    """Grant to exactly these groups; to none where everyone sees it, so that closing it later surprises nobody."""
    groups = [] if draft.everyone_sees else sorted(draft.groups)
    work.session.execute(delete(granted.grant).where(granted.thing_id == thing_id))
    for group_id in groups:
        work.session.add(granted.grant(**{granted.thing_id.key: thing_id, "user_group_id": group_id}))
    work.session.flush()
    return groups


def _checked(work: Work, kind: Kind, draft: ThingDraft, *, own_id: int | None) -> dict[str, str | bool]:
    problems: dict[str, Message] = {}
    model = GRANTED[kind].model
    name = cleaned_name(draft.name)
    same = select(model.id).where(func.lower(model.name) == name.lower(), model.id != (own_id or 0)).limit(1)
    if not name:
        problems["name"] = _("It needs a name.")
    elif len(name) > LONGEST:
        problems["name"] = _("A name has at most %(limit)d characters.", limit=LONGEST)
    elif work.session.scalar(same) is not None:
        problems["name"] = _("Another one has this name.")
    known = set(work.session.scalars(select(UserGroup.id).where(UserGroup.id.in_(draft.groups))))
    if draft.groups - known:
        problems["groups"] = _("There is no such group.")
    values: dict[str, str | bool] = {"name": name, "everyone_sees": draft.everyone_sees}
    if kind is Kind.QUEUE and own_id is None:
        if draft.channel not in CHANNELS:
            problems["channel"] = _("There is no such channel.")
        values["channel"] = draft.channel
    if problems:
        raise Invalid(problems)
    return values


def _made_here(kind: Kind) -> Granted:
    if kind not in MADE_HERE:
        raise NotFound
    return GRANTED[kind]


def _locked(work: Work, granted: Granted, thing_id: int) -> Any:
    thing = work.session.get(granted.model, thing_id, with_for_update=True)
    if thing is None:
        raise NotFound
    return thing


def _stored(work: Work, granted: Granted, thing: Any) -> Mapping[str, Any]:
    return {
        "name": thing.name,
        "everyone_sees": thing.everyone_sees,
        "groups": _groups(work, granted, thing.id),
    }


def _groups(work: Work, granted: Granted, thing_id: int) -> list[int]:
    query = select(granted.grant.user_group_id).where(granted.thing_id == thing_id)
    return sorted(work.session.scalars(query))
