"""One call from its arrival to its end, as a state machine: signals and the time in, commands out. Pure.

Each leg has a timer of its own: it is rung when its delay is over and given up when its ringing time is. The first
answer wins. If nothing rings any more, the next leg need not wait for its delay.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from core.calls.causes import Cause, EndedBy, answer_for, cause_of, ends_all, strongest
from core.calls.plans import Leg, RingPlan

RINGING: Final = 180
SOUND_BEFORE_ANSWER: Final = 183


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring leg ``index`` of the plan."""

    index: int
    leg: Leg
    domain: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End a leg that we rang; ``is_elsewhere`` tells its phone that the call was answered on another one."""

    index: int
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class TellCaller:
    """Send the caller a provisional status."""

    status: int


@dataclass(frozen=True, slots=True)
class AnswerCaller:
    """Accept the caller's call."""


@dataclass(frozen=True, slots=True)
class EndCaller:
    """End the caller's leg: with this status before an answer, with BYE after it."""

    status: int


@dataclass(frozen=True, slots=True)
class Connect:
    """Let the sound of the caller and of leg ``index`` flow; it is recorded from the answer on."""

    index: int
    is_recorded: bool


@dataclass(frozen=True, slots=True)
class NoteRinging:
    """Write down that a device rings."""

    device_id: int | None


@dataclass(frozen=True, slots=True)
class NoteLegEnded:
    """Write down that a device stopped ringing."""

    device_id: int | None
    cause: Cause
    status: int


@dataclass(frozen=True, slots=True)
class NoteAnswered:
    """Write down who answered."""

    device_id: int | None


@dataclass(frozen=True, slots=True)
class Finish:
    """The call is over; nothing follows."""

    cause: Cause
    ended_by: EndedBy
    status: int


Command = (
    Dial | HangUp | TellCaller | AnswerCaller | EndCaller | Connect | NoteRinging | NoteLegEnded | NoteAnswered | Finish
)


class Stage(Enum):
    """How far a call is."""

    ARRIVED = auto()
    RINGING = auto()
    TALKING = auto()
    OVER = auto()


class LegStage(Enum):
    """How far a leg of the plan is. A given-up leg was told to stop and has not ended yet."""

    WAITING = auto()
    RUNG = auto()
    GIVEN_UP = auto()
    TALKING = auto()
    OVER = auto()


@dataclass(slots=True)
class LegState:
    """A leg of the plan: when it begins and ends, in seconds of a steady clock."""

    leg: Leg
    starts_at: float
    stage: LegStage = LegStage.WAITING
    has_rung: bool = False

    @property
    def ends_at(self) -> float:
        """When its ringing is given up."""
        return self.starts_at + self.leg.ring_s


@dataclass(slots=True)
class Switchboard:
    """One call. Every method answers what is to be done now, in this order."""

    stage: Stage = Stage.ARRIVED
    domain: str = ""
    legs: list[LegState] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)
    told: int = 0

    def planned(self, plan: RingPlan, now: float) -> list[Command]:
        """The plan is there; a caller who gave up in the meantime is gone."""
        if self.stage is not Stage.ARRIVED:
            return []
        if plan.refusal is not None:
            self.stage = Stage.OVER
            return [EndCaller(answer_for(plan.refusal))]
        self.stage, self.domain = Stage.RINGING, plan.domain
        self.legs = [LegState(leg, now + leg.delay_s) for leg in plan.legs]
        return self.ticked(now)

    def failed(self, status: int) -> list[Command]:
        """There will be no plan."""
        if self.stage is not Stage.ARRIVED:
            return []
        self.stage = Stage.OVER
        return [EndCaller(status)]

    def ticked(self, now: float) -> list[Command]:
        """The time went on."""
        if self.stage is not Stage.RINGING:
            return []
        commands: list[Command] = []
        for index, state in enumerate(self.legs):
            if state.stage is LegStage.RUNG and now >= state.ends_at:
                commands += self._give_up(index, Cause.NO_ANSWER)
        return [*commands, *self._go_on(now)]

    def progressed(self, index: int, status: int, *, has_sound: bool) -> list[Command]:
        """A device rings; the sound of a network is passed on where there is nobody else to listen to."""
        state = self.legs[index]
        if self.stage is not Stage.RINGING or state.stage is not LegStage.RUNG:
            return []
        commands: list[Command] = []
        if not state.has_rung:
            state.has_rung = True
            commands.append(NoteRinging(state.leg.device_id))
        passes_sound = has_sound and status == SOUND_BEFORE_ANSWER and len(self.legs) == 1
        tell = SOUND_BEFORE_ANSWER if passes_sound else RINGING
        if tell > self.told:
            self.told = tell
            commands.append(TellCaller(tell))
            if passes_sound:
                commands.append(Connect(index, is_recorded=False))
        return commands

    def answered(self, index: int) -> list[Command]:
        """Somebody answered; whoever answers after them is sent away."""
        state = self.legs[index]
        if self.stage is not Stage.RINGING or state.stage is not LegStage.RUNG:
            return [HangUp(index, is_elsewhere=True)] if state.stage is not LegStage.OVER else []
        self.stage, state.stage = Stage.TALKING, LegStage.TALKING
        return [
            AnswerCaller(),
            Connect(index, is_recorded=True),
            NoteAnswered(state.leg.device_id),
            *self._stop_ringing(is_elsewhere=True),
        ]

    def leg_ended(self, index: int, status: int, now: float) -> list[Command]:
        """A device said no, cannot be reached, stopped as it was told to, or hung up."""
        state = self.legs[index]
        was, state.stage = state.stage, LegStage.OVER
        if was is LegStage.TALKING and self.stage is Stage.TALKING:
            self.stage = Stage.OVER
            return [EndCaller(200), Finish(Cause.ANSWERED, EndedBy.CALLEE, 200)]
        if was is not LegStage.RUNG or self.stage is not Stage.RINGING:
            return []
        cause = cause_of(status)
        self.causes.append(cause)
        noted = NoteLegEnded(state.leg.device_id, cause, status)
        if ends_all(status):
            return [noted, *self._stop_ringing(is_elsewhere=False), *self._lost()]
        return [noted, *self._go_on(now)]

    def caller_ended(self, status: int) -> list[Command]:
        """The caller gave up, or hung up."""
        before, self.stage = self.stage, Stage.OVER
        if before is Stage.OVER:
            return []
        if before is Stage.TALKING:
            return [*self._end_conversation(), Finish(Cause.ANSWERED, EndedBy.CALLER, 200)]
        return [*self._stop_ringing(is_elsewhere=False), Finish(Cause.CANCELLED, EndedBy.CALLER, status)]

    def stopped(self) -> list[Command]:
        """This process ends."""
        before, self.stage = self.stage, Stage.OVER
        if before is Stage.OVER:
            return []
        if before is Stage.TALKING:
            return [*self._end_conversation(), EndCaller(200), Finish(Cause.ANSWERED, EndedBy.SYSTEM, 200)]
        status = answer_for(Cause.FAILED)
        stopped = self._stop_ringing(is_elsewhere=False)
        return [*stopped, EndCaller(status), Finish(Cause.FAILED, EndedBy.SYSTEM, status)]

    def _go_on(self, now: float) -> list[Command]:
        """Ring what is due; the next one at once if nothing rings; and end the call if there is no next one."""
        waiting = [state for state in self.legs if state.stage is LegStage.WAITING]
        rings = any(state.stage is LegStage.RUNG for state in self.legs)
        if waiting and not rings:
            early_s = max(0.0, min(state.starts_at for state in waiting) - now)
            for state in waiting:
                state.starts_at -= early_s
        commands: list[Command] = []
        for index, state in enumerate(self.legs):
            if state.stage is LegStage.WAITING and now >= state.starts_at:
                state.stage = LegStage.RUNG
                commands.append(Dial(index, state.leg, self.domain))
        return commands if rings or commands else self._lost()

    def _give_up(self, index: int, cause: Cause) -> Sequence[Command]:
        state = self.legs[index]
        state.stage = LegStage.GIVEN_UP
        self.causes.append(cause)
        return [HangUp(index), NoteLegEnded(state.leg.device_id, cause, answer_for(Cause.CANCELLED))]

    def _stop_ringing(self, *, is_elsewhere: bool) -> Iterator[Command]:
        for index, state in enumerate(self.legs):
            if state.stage is LegStage.RUNG:
                state.stage = LegStage.GIVEN_UP
                yield HangUp(index, is_elsewhere=is_elsewhere)

    def _end_conversation(self) -> Iterator[Command]:
        for index, state in enumerate(self.legs):
            if state.stage is LegStage.TALKING:
                state.stage = LegStage.GIVEN_UP
                yield HangUp(index)

    def _lost(self) -> list[Command]:
        """Nobody answered."""
        self.stage = Stage.OVER
        cause = strongest(self.causes)
        by = EndedBy.CALLEE if cause in {Cause.REJECTED, Cause.ENGAGED} else EndedBy.SYSTEM
        status = answer_for(cause)
        return [EndCaller(status), Finish(cause, by, status)]
