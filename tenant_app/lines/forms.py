"""What the forms of lines, devices and trunks hold: everything as typed, so that a refused form can be shown again."""

from collections.abc import Mapping
from typing import Final

from core.calls.lines import DeviceDraft, DeviceRow
from core.calls.trunks import TrunkDraft, TrunkRow

DEVICE_LINES: Final = ("kind", "name", "external_number", "ring_delay_s", "ring_time_s")
TRUNK_LINES: Final = ("name", "host", "port", "transport", "username", "password")
NOT_A_NUMBER: Final = -1
MOST_DIGITS: Final = 6

Typed = dict[str, str]


def first_device() -> Typed:
    """A phone that rings at once for half a minute."""
    return {"kind": "sip", "name": "", "external_number": "", "ring_delay_s": "0", "ring_time_s": "30"}


def stored_device(device: DeviceRow, *, external_number: str) -> Typed:
    """What the form shows of a device; ``external_number`` as it is written here."""
    return {
        "kind": device.kind,
        "name": device.name,
        "external_number": external_number,
        "ring_delay_s": str(device.ring_delay_s),
        "ring_time_s": str(device.ring_time_s),
    }


def typed_device(form: Mapping[str, str], *, kind: str = "") -> Typed:
    """What was posted; the ``kind`` of a device that exists stays."""
    values = {field: form.get(field, "") for field in DEVICE_LINES}
    return values | ({"kind": kind} if kind else {})


def as_device_draft(values: Typed, *, is_enabled: bool = True) -> DeviceDraft:
    """The draft for the service; what is no number of seconds is one that it refuses."""
    return DeviceDraft(
        kind=values["kind"],
        name=values["name"],
        external_number=values["external_number"],
        ring_delay_s=_whole(values["ring_delay_s"]),
        ring_time_s=_whole(values["ring_time_s"]),
        is_enabled=is_enabled,
    )


def switched(device: DeviceRow, *, is_enabled: bool) -> DeviceDraft:
    """The device as it is, but on or off."""
    return as_device_draft(stored_device(device, external_number=device.external_number), is_enabled=is_enabled)


def first_trunk() -> Typed:
    """What most providers ask for."""
    return {"name": "", "host": "", "port": "5060", "transport": "udp", "username": "", "password": ""}


def stored_trunk(trunk: TrunkRow) -> Typed:
    """What the form shows of a trunk; never its password."""
    return {
        "name": trunk.name,
        "host": trunk.host,
        "port": str(trunk.port),
        "transport": trunk.transport,
        "username": trunk.username,
        "password": "",
    }


def typed_trunk(form: Mapping[str, str]) -> Typed:
    """What was posted."""
    return {field: form.get(field, "") for field in TRUNK_LINES}


def as_trunk_draft(values: Typed, *, is_enabled: bool, is_new: bool) -> TrunkDraft:
    """The draft for the service. An empty password keeps the one that is stored, unless the user name went too."""
    password = values["password"]
    keeps = not is_new and not password and bool(values["username"])
    return TrunkDraft(
        name=values["name"],
        host=values["host"],
        port=_whole(values["port"]),
        transport=values["transport"],
        username=values["username"].strip(),
        password=None if keeps else password,
        is_enabled=is_enabled,
    )


def _whole(text: str) -> int:
    typed = text.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= MOST_DIGITS else NOT_A_NUMBER
