"""Lines and their devices: who may be dialled, and what rings then."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import column, func, or_, select, table

from core.calls.models import Call, Device, PhoneLine, TrunkNumber
from core.calls.numbers import LINE, is_emergency, read_dialled
from core.directory.phones import NotANumber, as_e164
from core.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import Message, _
from core.foundation.live import tell
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.identity.passwords import readable_password, readable_signs
from core.tenants.service import tenant_profile

KINDS: Final = ("sip", "browser", "external")
LONGEST_DELAY_S: Final = 60
SHORTEST_RING_S: Final = 5
LONGEST_RING_S: Final = 120
MOST_DEVICES: Final = 10
NAME_CHARACTERS: Final = 60
PASSWORD_GROUPS: Final = 4
PASSWORD_GROUP_SIGNS: Final = 5
DEVICE_FIELDS: Final = ("kind", "name", "external_number", "ring_delay_s", "ring_time_s", "is_enabled")

REACHABLE: Final = table("reachable", column("username"), column("user_agent"), column("expires"), schema="edge")
"""The registrations of this tenant's phones, as the edge keeps them."""

Problems = dict[str, Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDraft:
    """A device to add, or what it is to become; its kind stays what it was."""

    kind: str
    name: str
    external_number: str = ""
    ring_delay_s: int = 0
    ring_time_s: int = 30
    is_enabled: bool = True


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device with its password, which is shown once and kept as a digest only; None where it needs none."""

    id: int
    sip_username: str
    password: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A device of a line. ``is_registered`` says whether it can be reached now; a number outside always can."""

    id: int
    kind: str
    name: str
    sip_username: str
    external_number: str
    ring_delay_s: int
    ring_time_s: int
    is_enabled: bool
    is_registered: bool
    user_agent: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """A line, whose it is, and its devices in the order of their adding. ``numbers`` lead to it from outside."""

    id: int
    number: str
    user_id: int
    user_name: str
    caller_id: str
    numbers: Sequence[str]
    devices: Sequence[DeviceRow]


def set_line(work: Work, user_id: int, number: str, caller_id: str = "") -> int:
    """Give the user this line, or change the one they have; answers its id.

    ``caller_id`` must be a number of the company: others may not be shown. The number stays while the line is in a
    call. Raises ``Invalid``, ``NotFound``.
    """
    work.actor.require(Permission.LINES_MANAGE)
    user = work.session.get(UserAccount, user_id)
    if user is None or user.deleted_at is not None:
        raise NotFound
    line = work.session.scalar(select(PhoneLine).where(PhoneLine.user_id == user_id).with_for_update())
    wanted, problems = _checked_line(work, number, caller_id, user_id=user_id)
    if problems:
        raise Invalid(problems)
    before = {} if line is None else {name: getattr(line, name) for name in wanted}
    if line is None:
        line = PhoneLine(user_id=user_id, **wanted)
        work.session.add(line)
    for name, value in wanted.items():
        setattr(line, name, value)
    work.session.flush()
    record_change(work, "phone_line", line.id, before=before, after=wanted)
    tell(work, "line", [line.id])
    return line.id


def line_problems(work: Work, number: str, caller_id: str, *, user_id: int) -> Problems:
    """What is wrong with a line for this user, who may not exist yet (0): under ``number`` and ``caller_id``."""
    return _checked_line(work, number, caller_id, user_id=user_id)[1]


def remove_line(work: Work, line_id: int) -> None:
    """Remove the line with its devices; numbers that led to it lead nowhere, calls stay. Raises ``NotFound``."""
    work.actor.require(Permission.LINES_MANAGE)
    line = _line(work, line_id)
    record_change(work, "phone_line", line.id, before={"number": line.number, "user_id": line.user_id}, after={})
    work.session.delete(line)
    tell(work, "line", [line_id])


def add_device(work: Work, line_id: int, draft: DeviceDraft) -> NewDevice:
    """Add a device to a line: anybody's with ``lines.manage``, one's own with ``calls.make``.

    Raises ``Invalid``, ``NotFound``, ``Conflict`` past 10 of them.
    """
    line = _line(work, line_id)
    _require_line(work, line)
    values = _checked(work, draft)
    if len(work.session.scalars(select(Device.id).where(Device.line_id == line_id)).all()) >= MOST_DEVICES:
        raise Conflict(_("More than %(limit)d are too many; remove one that is not used.", limit=MOST_DEVICES))
    device = Device(line_id=line_id, **values)
    password = None
    if draft.kind != "external":
        device.sip_username = f"{line.number}-{readable_signs(4)}"
        password = _give_password(work, device)
    work.session.add(device)
    work.session.flush()
    record_change(work, "device", device.id, before={}, after={"line_id": line_id, **values})
    tell(work, "line", [line_id])
    return NewDevice(device.id, device.sip_username, password)


def change_device(work: Work, device_id: int, draft: DeviceDraft) -> None:
    """Change a device; its kind and how it signs in stay. Raises ``Invalid``, ``NotFound``."""
    device = _device(work, device_id)
    if draft.kind != device.kind:
        raise Invalid({"kind": _("A device stays what it is; add another one.")})
    values = _checked(work, draft)
    before = {name: getattr(device, name) for name in values}
    for name, value in values.items():
        setattr(device, name, value)
    work.session.flush()
    if record_change(work, "device", device_id, before=before, after=values):
        _tell(work, device)


def renew_password(work: Work, device_id: int) -> NewDevice:
    """Give the device a new password; the old one ends at once. Raises ``NotFound``."""
    device = _device(work, device_id)
    if device.kind == "external":
        raise NotFound
    password = _give_password(work, device)
    record_change(work, "device", device_id, before={"password": "old"}, after={"password": "new"})
    _tell(work, device)
    return NewDevice(device.id, device.sip_username, password)


def remove_device(work: Work, device_id: int) -> None:
    """Remove a device; it can neither sign in nor be rung any more. Raises ``NotFound``."""
    device = _device(work, device_id)
    record_change(work, "device", device_id, before={"line_id": device.line_id, "name": device.name}, after={})
    work.session.delete(device)
    _tell(work, device)


def free_number(work: Work) -> str:
    """A number for the next line: that after the highest, if it has as many digits; else nothing."""
    work.actor.require(Permission.LINES_MANAGE)
    order = (func.length(PhoneLine.number).desc(), PhoneLine.number.desc())
    highest = work.session.scalar(select(PhoneLine.number).order_by(*order).limit(1)) or "100"
    following = str(int(highest) + 1).zfill(len(highest))
    return following if len(following) == len(highest) and not highest.startswith("0") else ""


def lines(work: Work) -> list[LineRow]:
    """Every line with its devices, in the order of their numbers. Three statements."""
    work.actor.require(Permission.LINES_MANAGE)
    return _rows(work)


def my_line(work: Work) -> LineRow | None:
    """The actor's own line."""
    return next(iter(_rows(work, user_id=work.actor.user_id or 0)), None)


def digest_of(username: str, realm: str, password: str) -> str:
    """What the edge checks a phone's answer against (RFC 2617, 3.2.2.2)."""
    return hashlib.md5(f"{username}:{realm}:{password}".encode(), usedforsecurity=False).hexdigest()


def _rows(work: Work, *, user_id: int | None = None) -> list[LineRow]:
    query = select(PhoneLine, UserAccount.name).join(UserAccount, UserAccount.id == PhoneLine.user_id)
    if user_id is not None:
        query = query.where(PhoneLine.user_id == user_id)
    found = work.session.execute(query.order_by(PhoneLine.number)).all()
    ids = [line.id for line, _name in found]
    devices = _devices(work, ids)
    numbers: dict[int | None, list[str]] = {}
    owned = select(TrunkNumber.line_id, TrunkNumber.number).where(TrunkNumber.line_id.in_(ids))
    for line_id, number in work.session.execute(owned.order_by(TrunkNumber.number)):
        numbers.setdefault(line_id, []).append(number)
    return [
        LineRow(
            id=line.id,
            number=line.number,
            user_id=line.user_id,
            user_name=name,
            caller_id=line.caller_id,
            numbers=numbers.get(line.id, []),
            devices=devices.get(line.id, []),
        )
        for line, name in found
    ]


def _devices(work: Work, line_ids: Sequence[int]) -> dict[int | None, list[DeviceRow]]:
    query = (
        select(Device, REACHABLE.c.user_agent)
        .outerjoin(REACHABLE, REACHABLE.c.username == Device.sip_username)
        .where(Device.line_id.in_(line_ids))
        .order_by(Device.id, REACHABLE.c.expires)
    )
    newest = {device.id: (device, user_agent) for device, user_agent in work.session.execute(query)}
    found: dict[int | None, list[DeviceRow]] = {}
    for device, user_agent in newest.values():
        found.setdefault(device.line_id, []).append(_device_row(device, user_agent))
    return found


def _device_row(device: Device, user_agent: str | None) -> DeviceRow:
    return DeviceRow(
        id=device.id,
        kind=device.kind,
        name=device.name,
        sip_username=device.sip_username,
        external_number=device.external_number,
        ring_delay_s=device.ring_delay_s,
        ring_time_s=device.ring_time_s,
        is_enabled=device.is_enabled,
        is_registered=device.is_enabled and (device.kind == "external" or user_agent is not None),
        user_agent=user_agent or "",
        created_at=device.created_at,
    )


def _line(work: Work, line_id: int) -> PhoneLine:
    line = work.session.get(PhoneLine, line_id, with_for_update=True)
    if line is None:
        raise NotFound
    return line


def _device(work: Work, device_id: int) -> Device:
    """The device, locked, of a line that the actor may change."""
    device = work.session.get(Device, device_id, with_for_update=True)
    if device is None or device.line_id is None:
        raise NotFound
    _require_line(work, work.session.get_one(PhoneLine, device.line_id))
    return device


def _tell(work: Work, device: Device) -> None:
    tell(work, "line", [device.line_id] if device.line_id else [])


def _require_line(work: Work, line: PhoneLine) -> None:
    if work.actor.may(Permission.LINES_MANAGE):
        return
    work.actor.require(Permission.CALLS_MAKE)
    if line.user_id != work.actor.user_id:
        raise Forbidden


def _checked_line(work: Work, number: str, caller_id: str, *, user_id: int) -> tuple[dict[str, str], Problems]:
    problems: Problems = {}
    wanted = {
        "number": _free_number(work, problems, number.strip(), user_id),
        "caller_id": _own_number(work, problems, caller_id),
    }
    line = work.session.scalar(select(PhoneLine).where(PhoneLine.user_id == user_id))
    if line is not None and line.number != wanted["number"] and _is_in_call(work, line.id):
        problems["number"] = _("Line %(number)s is in a call. Change it when the call is over.", number=line.number)
    return wanted, problems


def _is_in_call(work: Work, line_id: int) -> bool:
    takes_part = or_(Call.line_id == line_id, Call.caller_line_id == line_id)
    return work.session.scalar(select(Call.id).where(takes_part, Call.state != "ended").limit(1)) is not None


def _free_number(work: Work, problems: Problems, number: str, user_id: int) -> str:
    if not LINE.fullmatch(number):
        problems["number"] = _("A line has 2 to 6 digits.")
    elif is_emergency(number, tenant_profile(work).country):
        problems["number"] = _("This number calls for help; it cannot be a line.")
    else:
        query = (
            select(UserAccount.name)
            .join(PhoneLine, PhoneLine.user_id == UserAccount.id)
            .where(PhoneLine.number == number, PhoneLine.user_id != user_id)
        )
        if taken_by := work.session.scalar(query):
            problems["number"] = _("This is the line of %(name)s.", name=taken_by)
    return number


def _own_number(work: Work, problems: Problems, typed: str) -> str:
    if not typed.strip():
        return ""
    try:
        number = as_e164(typed, tenant_profile(work).country)
    except NotANumber as error:
        problems["caller_id"] = error.problem
        return ""
    if work.session.scalar(select(TrunkNumber.id).where(TrunkNumber.number == number)) is None:
        problems["caller_id"] = _("Callers see numbers of the company only; this is none of them.")
    return number


def _checked(work: Work, draft: DeviceDraft) -> Mapping[str, Any]:
    problems: Problems = {}
    name = " ".join(draft.name.split())[:NAME_CHARACTERS]
    if draft.kind not in KINDS:
        problems["kind"] = _("There is no such kind of device.")
    if not name:
        problems["name"] = _("Give it a name, so that you know it again.")
    if not 0 <= draft.ring_delay_s <= LONGEST_DELAY_S:
        problems["ring_delay_s"] = _("It may wait at most %(limit)d seconds.", limit=LONGEST_DELAY_S)
    if not SHORTEST_RING_S <= draft.ring_time_s <= LONGEST_RING_S:
        problems["ring_time_s"] = _(
            "It may ring %(least)d to %(most)d seconds.", least=SHORTEST_RING_S, most=LONGEST_RING_S
        )
    number = _outside_number(work, problems, draft.external_number) if draft.kind == "external" else ""
    if problems:
        raise Invalid(problems)
    cleaned = DeviceDraft(
        kind=draft.kind,
        name=name,
        external_number=number,
        ring_delay_s=draft.ring_delay_s,
        ring_time_s=draft.ring_time_s,
        is_enabled=draft.is_enabled,
    )
    return {field: getattr(cleaned, field) for field in DEVICE_FIELDS}


def _outside_number(work: Work, problems: Problems, typed: str) -> str:
    country = tenant_profile(work).country
    try:
        number = as_e164(typed, country)
    except NotANumber as error:
        problems["external_number"] = error.problem
        return ""
    dialled = read_dialled(number, country)
    if dialled is None or dialled.is_premium:
        problems["external_number"] = _("Numbers with extra charges cannot be called.")
    return number


def _give_password(work: Work, device: Device) -> str:
    password = readable_password(groups=PASSWORD_GROUPS, signs=PASSWORD_GROUP_SIGNS)
    device.ha1 = digest_of(device.sip_username, tenant_profile(work).realm, password)
    return password
