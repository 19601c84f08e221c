"""What the engine tells: one frozen value for each thing that happened on the wire."""

from dataclasses import dataclass

LegId = int
"""A leg of this process: the caller's, or one that we ring. Never used twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """Who calls whom, as the edge vouches for it."""

    tenant_id: int
    dialled: str
    caller: str
    sip_call_id: str
    device_id: int | None = None
    trunk_id: int | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """A call came in; ``invite`` is None if the edge does not vouch for it."""

    leg: LegId
    invite: Invite | None


@dataclass(frozen=True, slots=True)
class Progressed:
    """A device that we ring says that it does (18x); ``has_sound`` when it sends some already, as networks do."""

    leg: LegId
    status: int
    has_sound: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody answered a leg that we ring."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class SoundChanged:
    """A leg's sound can flow now, or flows otherwise than before."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Ended:
    """A leg is over. ``status`` is its final SIP status, 200 after a conversation."""

    leg: LegId
    status: int


CallSignal = Arrived | Progressed | Answered | SoundChanged | Ended
