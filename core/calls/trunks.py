"""Trunks and the company's numbers on them: the way to the telephone network and from it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from core.calls.models import PhoneLine, Trunk, TrunkNumber
from core.calls.sealing import seal
from core.directory.phones import NotANumber, as_e164
from core.foundation.errors import Invalid, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import Message, _
from core.foundation.live import tell
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.tenants.service import tenant_profile

TRANSPORTS: Final = ("udp", "tcp", "tls")
HIGHEST_PORT: Final = 65535
NAME_CHARACTERS: Final = 60
HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
SIGN_IN: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{0,128}")
"""ASCII without the signs that end a quoted string."""
FIELDS: Final = ("name", "host", "port", "transport", "username", "is_enabled")

Problems = dict[str, Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkDraft:
    """A trunk to create or what it is to become. ``password`` None keeps the one that it has."""

    name: str
    host: str
    port: int = 5060
    transport: str = "udp"
    username: str = ""
    password: str | None = None
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRow:
    """A number of the company, and the line that it rings; ``line_id`` None rings nothing."""

    id: int
    number: str
    line_id: int | None
    line_number: str | None
    user_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkRow:
    """A trunk with its numbers. The password itself is never shown again."""

    id: int
    name: str
    host: str
    port: int
    transport: str
    username: str
    has_password: bool
    is_enabled: bool
    numbers: Sequence[NumberRow]


def create_trunk(work: Work, draft: TrunkDraft) -> int:
    """Create a trunk; raises ``Invalid``."""
    return _save(work, Trunk(), draft)


def change_trunk(work: Work, trunk_id: int, draft: TrunkDraft) -> None:
    """Change a trunk; raises ``Invalid``, ``NotFound``."""
    _save(work, _trunk(work, trunk_id), draft)


def remove_trunk(work: Work, trunk_id: int) -> None:
    """Remove a trunk with its numbers; raises ``NotFound``."""
    trunk = _trunk(work, trunk_id)
    record_change(work, "trunk", trunk_id, before={"name": trunk.name, "host": trunk.host}, after={})
    work.session.delete(trunk)
    tell(work, "line")


def trunks(work: Work) -> list[TrunkRow]:
    """Every trunk with its numbers. Two statements."""
    work.actor.require(Permission.LINES_MANAGE)
    query = (
        select(TrunkNumber, PhoneLine.number, UserAccount.name)
        .outerjoin(PhoneLine, PhoneLine.id == TrunkNumber.line_id)
        .outerjoin(UserAccount, UserAccount.id == PhoneLine.user_id)
        .order_by(TrunkNumber.number)
    )
    numbers: dict[int, list[NumberRow]] = {}
    for row, line_number, user_name in work.session.execute(query):
        shown = NumberRow(
            id=row.id, number=row.number, line_id=row.line_id, line_number=line_number, user_name=user_name
        )
        numbers.setdefault(row.trunk_id, []).append(shown)
    return [
        TrunkRow(
            id=trunk.id,
            name=trunk.name,
            host=trunk.host,
            port=trunk.port,
            transport=trunk.transport,
            username=trunk.username,
            has_password=trunk.sealed_password is not None,
            is_enabled=trunk.is_enabled,
            numbers=numbers.get(trunk.id, []),
        )
        for trunk in work.session.scalars(select(Trunk).order_by(Trunk.name))
    ]


def add_number(work: Work, number: str, trunk_id: int, line_id: int | None) -> int:
    """Add a number of the company, which rings ``line_id``. Raises ``Invalid``, also for one that is taken."""
    _trunk(work, trunk_id)
    try:
        found = as_e164(number, tenant_profile(work).country)
    except NotANumber as error:
        raise Invalid({"number": error.problem}) from error
    _refuse_unknown_line(work, line_id)
    row = TrunkNumber(number=found, trunk_id=trunk_id, line_id=line_id)
    try:
        with work.session.begin_nested():
            work.session.add(row)
            work.session.flush()
    except IntegrityError as error:
        raise Invalid({"number": _("This number is set up already.")}) from error
    record_change(work, "trunk_number", row.id, before={}, after={"number": found, "line_id": line_id})
    tell(work, "line")
    return row.id


def route_number(work: Work, number_id: int, line_id: int | None) -> None:
    """Let a number ring another line, or none. Raises ``Invalid``, ``NotFound``."""
    row = _number(work, number_id)
    _refuse_unknown_line(work, line_id)
    before, row.line_id = {"line_id": row.line_id}, line_id
    record_change(work, "trunk_number", number_id, before=before, after={"line_id": line_id})
    tell(work, "line")


def remove_number(work: Work, number_id: int) -> None:
    """Remove a number; raises ``NotFound``."""
    row = _number(work, number_id)
    record_change(work, "trunk_number", number_id, before={"number": row.number, "line_id": row.line_id}, after={})
    work.session.delete(row)
    tell(work, "line")


def _save(work: Work, trunk: Trunk, draft: TrunkDraft) -> int:
    work.actor.require(Permission.LINES_MANAGE)
    cleaned = _checked(work, trunk, draft)
    before: dict[str, object] = {} if trunk.id is None else {name: getattr(trunk, name) for name in FIELDS}
    for name in FIELDS:
        setattr(trunk, name, getattr(cleaned, name))
    after: dict[str, object] = {name: getattr(trunk, name) for name in FIELDS}
    if draft.password is not None:
        before["password"] = "old" if trunk.sealed_password else None
        after["password"] = "new" if draft.password else None
        trunk.sealed_password = seal(draft.password, tenant_id=work.actor.tenant_id) if draft.password else None
    work.session.add(trunk)
    work.session.flush()
    record_change(work, "trunk", trunk.id, before=before, after=after)
    tell(work, "line")
    return trunk.id


def _checked(work: Work, trunk: Trunk, draft: TrunkDraft) -> TrunkDraft:
    problems: Problems = {}
    name = " ".join(draft.name.split())[:NAME_CHARACTERS]
    host = draft.host.strip().lower()
    if not name:
        problems["name"] = _("Give it a name, so that you know it again.")
    elif work.session.scalar(select(Trunk.id).where(Trunk.name == name, Trunk.id != (trunk.id or 0))):
        problems["name"] = _("There is a trunk of this name.")
    if not _is_host(host):
        problems["host"] = _("This is no host name and no IP address.")
    if not 1 <= draft.port <= HIGHEST_PORT:
        problems["port"] = _("A port is a number from 1 to 65535.")
    if draft.transport not in TRANSPORTS:
        problems["transport"] = _("There is no such transport.")
    for field, value in (("username", draft.username), ("password", draft.password or "")):
        if not SIGN_IN.fullmatch(value):
            problems[field] = _("This can hold letters, digits and signs of ASCII, no spaces.")
    if problems:
        raise Invalid(problems)
    return TrunkDraft(
        name=name,
        host=host,
        port=draft.port,
        transport=draft.transport,
        username=draft.username,
        is_enabled=draft.is_enabled,
    )


def _is_host(host: str) -> bool:
    try:
        return not ip_address(host).is_unspecified
    except ValueError:
        return HOST.fullmatch(host) is not None


def _refuse_unknown_line(work: Work, line_id: int | None) -> None:
    if line_id is not None and work.session.get(PhoneLine, line_id) is None:
        raise Invalid({"line_id": _("There is no such line.")})


def _trunk(work: Work, trunk_id: int) -> Trunk:
    work.actor.require(Permission.LINES_MANAGE)
    trunk = work.session.get(Trunk, trunk_id, with_for_update=True)
    if trunk is None:
        raise NotFound
    return trunk


def _number(work: Work, number_id: int) -> TrunkNumber:
    work.actor.require(Permission.LINES_MANAGE)
    row = work.session.get(TrunkNumber, number_id, with_for_update=True)
    if row is None:
        raise NotFound
    return row
