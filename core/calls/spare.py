"""Phones on no line: SIP accounts that wait for somebody to get them (D-FAQ-8)."""

from dataclasses import dataclass

from sqlalchemy import func, select

from core.calls.lines import MOST_DEVICES
from core.calls.models import Device, PhoneLine
from core.foundation.errors import Conflict, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import _
from core.foundation.live import tell
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work


@dataclass(frozen=True, slots=True)
class SpareDevice:
    """A SIP account that nobody has."""

    id: int
    name: str
    sip_username: str


def spare_devices(work: Work) -> list[SpareDevice]:
    """The phones on no line, by name."""
    work.actor.require(Permission.LINES_MANAGE)
    query = (
        select(Device.id, Device.name, Device.sip_username)
        .where(Device.line_id.is_(None), Device.kind == "sip")
        .order_by(func.lower(Device.name), Device.id)
    )
    return [SpareDevice(*row) for row in work.session.execute(query)]


def release_device(work: Work, device_id: int) -> None:
    """Take a phone from its line and keep it; until somebody gets it, it can neither ring nor call.

    Raises ``NotFound``, and ``Conflict`` for what is no phone.
    """
    work.actor.require(Permission.LINES_MANAGE)
    device = work.session.get(Device, device_id, with_for_update=True)
    if device is None or device.line_id is None:
        raise NotFound
    if device.kind != "sip":
        raise Conflict(_("Only phones that sign in can be kept without a line."))
    line_id, device.line_id = device.line_id, None
    record_change(work, "device", device_id, before={"line_id": line_id}, after={"line_id": None})
    tell(work, "line", [line_id])


def give_device(work: Work, device_id: int, line_id: int) -> None:
    """Put a spare phone on a line; it keeps its password. Raises ``NotFound``, ``Conflict`` past 10 of them."""
    work.actor.require(Permission.LINES_MANAGE)
    device = work.session.get(Device, device_id, with_for_update=True)
    line = work.session.get(PhoneLine, line_id, with_for_update=True)
    if device is None or device.line_id is not None or line is None:
        raise NotFound
    if (work.session.scalar(select(func.count()).where(Device.line_id == line_id)) or 0) >= MOST_DEVICES:
        raise Conflict(_("More than %(limit)d are too many; remove one that is not used.", limit=MOST_DEVICES))
    device.line_id = line_id
    record_change(work, "device", device_id, before={"line_id": None}, after={"line_id": line_id})
    tell(work, "line", [line_id])


def remove_spare(work: Work, device_id: int) -> None:
    """Remove a phone that nobody has. Raises ``NotFound``."""
    work.actor.require(Permission.LINES_MANAGE)
    device = work.session.get(Device, device_id, with_for_update=True)
    if device is None or device.line_id is not None:
        raise NotFound
    record_change(work, "device", device_id, before={"name": device.name}, after={})
    work.session.delete(device)
    tell(work, "line")
