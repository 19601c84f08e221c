"""What a dialled number makes ring: a plan, decided from what the database says. Pure.

The gateway carries the plan out and knows nothing of lines, numbers and rights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from core.calls.causes import Cause
from core.calls.numbers import Dialled, Reach

OUTSIDE_RING_S: Final = 90
EXTERNAL: Final = "external"
BROWSER: Final = "browser"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
    """A device of a line that is switched on."""

    id: int
    kind: str
    sip_username: str
    external_number: str
    ring_delay_s: int
    ring_time_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """A line, whose it is, and its devices."""

    id: int
    number: str
    user_id: int
    user_name: str
    caller_id: str
    devices: Sequence[DeviceFacts] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkFacts:
    """A trunk that is switched on, with its numbers: ``(number, line's id)``."""

    id: int
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    numbers: Sequence[tuple[str, int | None]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialling:
    """What somebody asks for. Without ``device_id`` it comes from a trunk, and ``caller`` is the number it gave."""

    dialled: Dialled | None
    caller: str = ""
    caller_line: LineFacts | None = None
    device_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the database says about it. ``realm`` is the tenant's; the called line belongs to what was dialled."""

    realm: str
    called_line: LineFacts | None = None
    trunks: Sequence[TrunkFacts] = ()


@dataclass(frozen=True, slots=True)
class Credentials:
    """What answers a provider's challenge."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One device or number to ring: from ``delay_s`` after the call came, for ``ring_s`` seconds.

    ``caller`` and ``caller_name`` are what it shows; an empty number is withheld. ``trunk_id`` is None for devices.
    """

    device_id: int | None
    uri: str
    caller: str
    caller_name: str = ""
    trunk_id: int | None = None
    credentials: Credentials | None = None
    is_browser: bool = False
    delay_s: int = 0
    ring_s: int = OUTSIDE_RING_S


@dataclass(frozen=True, slots=True, kw_only=True)
class RingPlan:
    """What is to happen with a call: legs to ring, or at once the cause why it ends.

    ``domain`` stands in the caller's address as the legs see it. ``user_id`` is whose activity the call is: the
    caller's in the company, else the called one's.
    """

    direction: str
    from_number: str
    to_number: str
    domain: str
    line_id: int | None = None
    caller_line_id: int | None = None
    user_id: int | None = None
    legs: Sequence[Leg] = ()
    refusal: Cause | None = None


def plan_call(asked: Dialling, facts: Facts) -> RingPlan:
    """Decide what rings."""
    if asked.caller_line is not None:
        return _from_line(asked, asked.caller_line, facts)
    line = facts.called_line
    direct = RingPlan(
        direction="in",
        from_number=asked.caller,
        to_number=asked.dialled.number if asked.dialled else "",
        domain=facts.realm,
        line_id=line.id if line else None,
        user_id=line.user_id if line else None,
        refusal=None if line else Cause.NOT_FOUND,
    )
    return _ringing(direct, line, facts, asked, name="") if line else direct


def _from_line(asked: Dialling, caller: LineFacts, facts: Facts) -> RingPlan:
    dialled, line = asked.dialled, facts.called_line
    if line is not None:
        direct = RingPlan(
            direction="internal",
            from_number=caller.number,
            to_number=line.number,
            domain=facts.realm,
            line_id=line.id,
            caller_line_id=caller.id,
            user_id=caller.user_id,
        )
        return _ringing(direct, line, facts, asked, name=caller.user_name)
    is_internal = dialled is None or dialled.reach is Reach.LINE
    outward = RingPlan(
        direction="internal" if is_internal else "out",
        from_number=caller.number,
        to_number=dialled.number if dialled else "",
        domain=facts.realm,
        line_id=None if is_internal else caller.id,
        caller_line_id=caller.id,
        user_id=caller.user_id,
        refusal=Cause.NOT_FOUND,
    )
    if dialled is None or is_internal:
        return outward
    return _outside(outward, dialled, caller, facts)


def _outside(plan: RingPlan, dialled: Dialled, caller: LineFacts, facts: Facts) -> RingPlan:
    if dialled.is_premium:
        return replace(plan, refusal=Cause.FORBIDDEN)
    trunk, shown = _way_out(facts.trunks, caller)
    if trunk is None:
        return plan
    leg = _trunk_leg(trunk, dialled.number, shown)
    return replace(plan, from_number=shown or plan.from_number, domain=trunk.host, legs=(leg,), refusal=None)


def _ringing(plan: RingPlan, line: LineFacts, facts: Facts, asked: Dialling, *, name: str) -> RingPlan:
    """The plan with a leg for every device of the line but the one that calls."""
    legs = [
        leg
        for device in line.devices
        if device.id != asked.device_id
        for leg in [_leg(device, line, facts, caller=plan.from_number, name=name)]
        if leg is not None
    ]
    refusal = None if legs else Cause.ENGAGED if asked.device_id and line.devices else Cause.UNREACHABLE
    return replace(plan, legs=tuple(sorted(legs, key=lambda leg: leg.delay_s)), refusal=refusal)


def _leg(device: DeviceFacts, line: LineFacts, facts: Facts, *, caller: str, name: str) -> Leg | None:
    """How the device is rung; None for a number outside if no trunk leads there."""
    if device.kind == EXTERNAL:
        trunk, shown = _way_out(facts.trunks, line)
        if trunk is None:
            return None
        return _trunk_leg(trunk, device.external_number, shown, device)
    return Leg(
        device_id=device.id,
        uri=f"sip:{device.sip_username}@{facts.realm}",
        caller=caller,
        caller_name=name,
        is_browser=device.kind == BROWSER,
        delay_s=device.ring_delay_s,
        ring_s=device.ring_time_s,
    )


def _trunk_leg(trunk: TrunkFacts, number: str, shown: str, device: DeviceFacts | None = None) -> Leg:
    return Leg(
        device_id=device.id if device else None,
        uri=f"sip:{number}@{trunk.host}:{trunk.port}",
        caller=shown,
        trunk_id=trunk.id,
        credentials=Credentials(trunk.username, trunk.password) if trunk.username else None,
        delay_s=device.ring_delay_s if device else 0,
        ring_s=device.ring_time_s if device else OUTSIDE_RING_S,
    )


def _way_out(trunks: Sequence[TrunkFacts], line: LineFacts) -> tuple[TrunkFacts | None, str]:
    """The trunk for a call of this line, and the number that it shows.

    The chosen caller id goes out by the trunk that owns it, since no other provider accepts it; next comes a number
    that leads to the line, then any number of the company.
    """
    owned = [(trunk, number, line_id) for trunk in trunks for number, line_id in trunk.numbers]
    chosen = [found for found in owned if found[1] == line.caller_id]
    own = [found for found in owned if found[2] == line.id]
    if found := next(iter([*chosen, *own, *owned]), None):
        return found[0], found[1]
    return next(iter(trunks), None), ""
