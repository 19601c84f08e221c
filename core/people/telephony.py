"""A person's line and SIP account, as they are given where the person is created or changed (TC-21 to TC-24)."""

from dataclasses import dataclass

from sqlalchemy import select

from core.calls.lines import DeviceDraft, NewDevice, add_device, line_problems, set_line
from core.calls.models import Device, PhoneLine
from core.calls.spare import give_device, spare_devices
from core.foundation.history import record_change
from core.foundation.i18n import Message, _, translate
from core.foundation.live import tell
from core.foundation.unit_of_work import Work
from core.tenants.service import tenant_profile

NO_ACCOUNT, NEW_ACCOUNT = "", "new"

Problems = dict[str, Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDraft:
    """The line of a person: none without a ``number``. ``account`` is empty, ``new``, or the id of a spare device."""

    number: str = ""
    caller_id: str = ""
    account: str = NO_ACCOUNT


def check_line(work: Work, problems: Problems, draft: LineDraft, *, kind: str, user_id: int = 0) -> None:
    """Gather what is wrong under the fields ``number``, ``caller_id`` and ``account``.

    A new call-centre user needs a line (D-FAQ-2). A line is taken away on its own page, which says what goes with it.
    """
    current = work.session.scalar(select(PhoneLine.number).where(PhoneLine.user_id == user_id))
    if not draft.number.strip():
        if current is not None:
            problems["number"] = _("To take the line away, remove it on its own page, which says what goes with it.")
        elif kind == "call_centre" and not user_id:
            problems["number"] = _("A call-centre user needs a line: enter its number.")
        elif draft.account or draft.caller_id.strip():
            problems["number"] = _("A SIP account and a shown number need a line: enter its number.")
        return
    problems.update(line_problems(work, draft.number, draft.caller_id, user_id=user_id))
    known = {str(device.id) for device in spare_devices(work)} if draft.account.isdecimal() else set()
    if draft.account not in {NO_ACCOUNT, NEW_ACCOUNT, *known}:
        problems["account"] = _("This SIP account is not free any more.")


def give_line(work: Work, user_id: int, draft: LineDraft) -> NewDevice | None:
    """Give the person the line and, where asked for, a SIP account; answers a new one with its password."""
    if not draft.number.strip():
        return None
    line_id = set_line(work, user_id, draft.number, draft.caller_id)
    if draft.account == NEW_ACCOUNT:
        return add_device(
            work, line_id, DeviceDraft(kind="sip", name=translate(_("Phone"), tenant_profile(work).locale))
        )
    if draft.account:
        give_device(work, int(draft.account), line_id)
    return None


def switch_off_devices(work: Work, user_id: int) -> int:
    """Switch the devices of the person's line off; answers how many were on. Who may, the caller has checked."""
    query = (
        select(Device)
        .join(PhoneLine, PhoneLine.id == Device.line_id)
        .where(PhoneLine.user_id == user_id, Device.is_enabled)
        .with_for_update(of=Device)
    )
    devices = list(work.session.scalars(query))
    for device in devices:
        device.is_enabled = False
        record_change(work, "device", device.id, before={"is_enabled": True}, after={"is_enabled": False})
        tell(work, "line", [device.line_id] if device.line_id else [])
    return len(devices)
