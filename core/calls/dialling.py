"""Reading from the database what a plan is made of."""

from dataclasses import replace

from sqlalchemy import ColumnElement, select

from core.calls.models import Device, PhoneLine, Trunk, TrunkNumber
from core.calls.numbers import Dialled, Reach, read_caller, read_dialled, short_number
from core.calls.plans import DeviceFacts, Dialling, Facts, LineFacts, RingPlan, TrunkFacts, plan_call
from core.calls.sealing import unseal
from core.foundation.errors import Forbidden
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.tenants.service import TenantProfile, tenant_profile


def plan_from_device(work: Work, device_id: int, dialled: str) -> RingPlan:
    """The plan of a call that one of the tenant's devices makes; raises ``Forbidden`` if it is not one of them."""
    tenant = tenant_profile(work)
    own = select(Device.line_id).where(Device.id == device_id, Device.is_enabled)
    caller_line = _line(work, PhoneLine.id == own.scalar_subquery())
    if caller_line is None:
        raise Forbidden
    read = read_dialled(dialled, tenant.country)
    called = _called_line(work, read)
    if called is None:
        read = _as_short_number(read, tenant.country)
    facts = Facts(realm=tenant.realm, called_line=called, trunks=_trunks_for(work, read, called))
    return plan_call(Dialling(dialled=read, caller_line=caller_line, device_id=device_id), facts)


def plan_from_trunk(work: Work, dialled: str, caller: str) -> RingPlan:
    """The plan of a call from outside to one of the tenant's numbers."""
    tenant = tenant_profile(work)
    read = _number_of_ours(dialled, tenant)
    called = _line_of_number(work, read.number) if read else None
    facts = Facts(realm=tenant.realm, called_line=called, trunks=_trunks_for(work, None, called))
    return plan_call(Dialling(dialled=read, caller=read_caller(caller, tenant.country)), facts)


def _number_of_ours(dialled: str, tenant: TenantProfile) -> Dialled | None:
    """A provider names our number in full, or leaves the plus out."""
    number = read_caller(dialled, tenant.country)
    return Dialled(number, Reach.OUTSIDE) if number.startswith("+") else None


def _as_short_number(read: Dialled | None, country: str) -> Dialled | None:
    if read is None or read.reach is not Reach.LINE:
        return read
    return short_number(read.number, country) or read


def _called_line(work: Work, read: Dialled | None) -> LineFacts | None:
    """The line that was dialled, by its own number or by the company's from outside."""
    if read is None or read.reach is Reach.EMERGENCY:
        return None
    if read.reach is Reach.OUTSIDE:
        return _line_of_number(work, read.number)
    return _line(work, PhoneLine.number == read.number)


def _line_of_number(work: Work, number: str) -> LineFacts | None:
    routed = select(TrunkNumber.line_id).where(TrunkNumber.number == number)
    return _line(work, PhoneLine.id == routed.scalar_subquery())


def _line(work: Work, condition: ColumnElement[bool]) -> LineFacts | None:
    query = (
        select(PhoneLine, UserAccount.name, Device)
        .join(UserAccount, UserAccount.id == PhoneLine.user_id)
        .outerjoin(Device, (Device.line_id == PhoneLine.id) & Device.is_enabled)
        .where(condition)
        .order_by(Device.id)
    )
    rows = work.session.execute(query).all()
    if not rows:
        return None
    line, name, _device = rows[0]
    return LineFacts(
        id=line.id,
        number=line.number,
        user_id=line.user_id,
        user_name=name,
        caller_id=line.caller_id,
        devices=tuple(_device_facts(device) for _line, _name, device in rows if device is not None),
    )


def _device_facts(device: Device) -> DeviceFacts:
    return DeviceFacts(
        id=device.id,
        kind=device.kind,
        sip_username=device.sip_username,
        external_number=device.external_number,
        ring_delay_s=device.ring_delay_s,
        ring_time_s=device.ring_time_s,
    )


def _trunks_for(work: Work, read: Dialled | None, called: LineFacts | None) -> list[TrunkFacts]:
    """The tenant's trunks, where the call can leave by one."""
    leaves = read is not None and read.reach is not Reach.LINE and called is None
    if not leaves and not (called and any(device.kind == "external" for device in called.devices)):
        return []
    found: dict[int, TrunkFacts] = {}
    query = (
        select(Trunk, TrunkNumber)
        .outerjoin(TrunkNumber, TrunkNumber.trunk_id == Trunk.id)
        .where(Trunk.is_enabled)
        .order_by(Trunk.id, TrunkNumber.number)
    )
    for trunk, number in work.session.execute(query):
        facts = found.get(trunk.id) or TrunkFacts(
            id=trunk.id,
            host=trunk.host,
            port=trunk.port,
            username=trunk.username,
            password=unseal(trunk.sealed_password, tenant_id=trunk.tenant_id),
        )
        more = ((number.number, number.line_id),) if number is not None else ()
        found[trunk.id] = replace(facts, numbers=(*facts.numbers, *more))
    return list(found.values())
