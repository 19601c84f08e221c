"""A new device's password on its way to the page that shows it once, from wherever the device was added."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import session

from core.calls.lines import NewDevice
from tenant_app import sealing
from tenant_app.hosts import current_tenant

PURPOSE: Final = b"centrala sip device 1"
SHOWN_ONCE: Final = "sip"
"""Under this name the browser's session holds the sealed password of the newest device, until it is shown."""


@dataclass(frozen=True, slots=True)
class DevicePassword:
    """What a device signs in with, and until when it may be looked at."""

    device_id: int
    username: str
    password: str
    until: datetime


def page_of_password(device: NewDevice) -> str:
    """Keep the password for the page at this address, which shows it once."""
    text = f"{device.sip_username}\n{device.password}"
    session[SHOWN_ONCE] = sealing.seal(device.id, text, purpose=PURPOSE, tenant_id=current_tenant().id)
    return f"/lines/devices/{device.id}/ready"


def taken_password() -> tuple[str, DevicePassword | None]:
    """The sealed text, gone from the session from now on, and what it holds: None if there is none or it is too old."""
    token = session.pop(SHOWN_ONCE, "")
    return token, password_in(token)


def password_in(token: str) -> DevicePassword | None:
    """What a sealed text holds; None if it is forged, of another tenant, or too old."""
    found = sealing.unseal(token, purpose=PURPOSE, tenant_id=current_tenant().id)
    if found is None:
        return None
    username, _newline, password = found.text.partition("\n")
    return DevicePassword(found.id, username, password, found.until)
