"""A new device's password on its way to the page that shows it once, from wherever the device was added."""

from typing import Final

from flask import session

from core.calls.lines import NewDevice
from tenant_app.hosts import current_tenant
from tenant_app.sealing import Sealed, seal, unseal

SHOWN_ONCE: Final = "sip"
"""Under this name the browser's session holds the sealed password of the newest device, until it is shown."""


def page_of_password(device: NewDevice) -> str:
    """Keep the password for the page at this address, which shows it once."""
    session[SHOWN_ONCE] = seal(device, tenant_id=current_tenant().id)
    return f"/lines/devices/{device.id}/ready"


def taken_password() -> tuple[str, Sealed | None]:
    """The sealed text, gone from the session from now on, and what it holds: None if there is none or it is too old."""
    token = session.pop(SHOWN_ONCE, "")
    return token, unseal(token, tenant_id=current_tenant().id)
