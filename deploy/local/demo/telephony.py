"""The demo's telephony: lines, a phone each, a test trunk on this machine, and numbers.

Phones sign in with the user's first name and the demo's password, so that one can be set up by heart. The numbers are
of a range that no customer of the demo has.
"""

from typing import Final

from core.calls.lines import DeviceDraft, add_device, digest_of, set_line
from core.calls.models import Device
from core.calls.trunks import TrunkDraft, add_number, create_trunk
from core.foundation.actor import Door
from core.foundation.unit_of_work import Work, unit_of_work
from core.tenants.service import tenant_profile
from deploy.local.commands import DEMO_PASSWORD
from deploy.local.demo.companies import Tenant

LINES: Final = {
    "demo": {"101": "boris", "102": "anna", "103": "vera"},
    "other": {"101": "oleg", "102": "boris", "103": "vera"},
}
NUMBERS: Final = {"demo": "+4202248110{line}", "other": "+4202248111{line}"}
TRUNK: Final = TrunkDraft(name="Test provider", host="127.0.0.1", port=5099)


def set_up_telephony(tenant: Tenant, key: str) -> None:
    """Give everybody a line, a phone and a number outside."""
    with unit_of_work(tenant.product(Door.SETUP)) as work:
        trunk = create_trunk(work, TRUNK)
        for number, name in LINES[key].items():
            line_id = set_line(work, tenant.users[name], number)
            _add_phone(work, line_id, name)
            outside = NUMBERS[key].format(line=number[1:])
            add_number(work, outside, trunk, line_id)
            set_line(work, tenant.users[name], number, outside)


def _add_phone(work: Work, line_id: int, name: str) -> None:
    added = add_device(work, line_id, DeviceDraft(kind="sip", name="Desk phone"))
    device = work.session.get_one(Device, added.id)
    device.sip_username = name
    device.ha1 = digest_of(name, tenant_profile(work).realm, DEMO_PASSWORD)
