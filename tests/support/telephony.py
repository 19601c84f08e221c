"""Lines, devices, a trunk and numbers for the cast, and calls to them."""

from dataclasses import dataclass

from core.calls.lines import DeviceDraft, NewDevice, add_device, set_line
from core.calls.service import BegunCall, IncomingCall, begin_call
from core.calls.trunks import TrunkDraft, add_number, create_trunk
from core.foundation import clock
from core.foundation.unit_of_work import Work
from tests.support.cast import Company
from tests.support.ports import free_port

BORIS_OUTSIDE = "+420224811101"
OUTSIDE = "+420601123456"
PROVIDER = "127.0.0.9"
PROVIDER_PORT = free_port()


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephony:
    """The telephony of a company: 101 is Boris', 102 the owner's, 103 Vera's. Lines and phones by number."""

    lines: dict[str, int]
    phones: dict[str, NewDevice]
    trunk: int
    number: int


def set_up(work: Work, company: Company, *, number: str = BORIS_OUTSIDE) -> Telephony:
    """Give everybody a line with one phone, and the company a trunk with Boris' number."""
    owner = next(name for name in company.users if name in {"anna", "oleg"})
    names = {"101": "boris", "102": owner, "103": "vera"}
    lines = {line: set_line(work, company.users[name], line) for line, name in names.items()}
    phones = {
        line: add_device(work, line_id, DeviceDraft(kind="sip", name="Desk phone")) for line, line_id in lines.items()
    }
    trunk = create_trunk(work, TrunkDraft(name="Provider", host=PROVIDER, port=PROVIDER_PORT))
    return Telephony(lines=lines, phones=phones, trunk=trunk, number=add_number(work, number, trunk, lines["101"]))


def call_from_line(work: Work, telephony: Telephony, dialled: str, *, line: str = "101") -> BegunCall:
    """A call that the line's phone makes."""
    incoming = IncomingCall(
        dialled=dialled,
        device_id=telephony.phones[line].id,
        worker="gateway-0",
        sip_call_id="abc",
        at=clock.now(),
    )
    return begin_call(work, incoming)


def call_from_outside(
    work: Work, telephony: Telephony, *, caller: str = OUTSIDE, dialled: str = BORIS_OUTSIDE
) -> BegunCall:
    """A call from the trunk."""
    incoming = IncomingCall(
        dialled=dialled,
        trunk_id=telephony.trunk,
        caller=caller,
        worker="gateway-0",
        sip_call_id="abc",
        at=clock.now(),
    )
    return begin_call(work, incoming)
