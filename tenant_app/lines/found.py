"""The lines that the viewer may look at, and which of them is meant."""

from core.calls.lines import DeviceRow, LineRow, lines, my_line
from core.directory.phones import shown_phone
from core.foundation.errors import NotFound
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from tenant_app.hosts import current_tenant


def line_of(work: Work, line_id: int) -> LineRow:
    """A line: anybody's with ``lines.manage``, else the viewer's own; others are not there."""
    found = next((line for line in _visible(work) if line.id == line_id), None)
    if found is None:
        raise NotFound
    return found


def device_of(work: Work, device_id: int) -> tuple[LineRow, DeviceRow]:
    """A device with its line, of the lines that the viewer may look at."""
    for line in _visible(work):
        for device in line.devices:
            if device.id == device_id:
                return line, device
    raise NotFound


def line_url(work: Work, line: LineRow) -> str:
    """Where the line is looked after: its owner's own page, or that of those who manage lines."""
    return f"/lines/{line.id}" if work.actor.may(Permission.LINES_MANAGE) else "/lines/mine"


def show_number(number: str) -> str:
    """A number as the tenant's country writes it; lines' numbers stay as they are."""
    return shown_phone(number, current_tenant().country) if number.startswith("+") else number


def _visible(work: Work) -> list[LineRow]:
    if work.actor.may(Permission.LINES_MANAGE):
        return lines(work)
    own = my_line(work)
    return [own] if own else []
