"""What the log says of a change besides names and values."""

from collections.abc import Mapping
from typing import Final

from core.foundation.i18n import Message, _

WHAT: Final[Mapping[str, Message]] = {"created": _("Created"), "changed": _("Changed"), "deleted": _("Deleted")}

DOORS: Final[Mapping[str, Message]] = {
    "web": _("in the browser"),
    "mail": _("by mail"),
    "dav": _("on a phone"),
    "sip": _("by telephone"),
    "job": _("by itself"),
    "setup": _("at set-up"),
}


def door_words(door: str) -> Message | str:
    """By which way a change came."""
    return DOORS.get(door, door)
