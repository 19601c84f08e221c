"""The calls of one worker: signals go to their switchboard, its commands to the engine and the desk."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from core.calls.causes import Cause, answer_for
from core.calls.recordings import files_of, folder
from core.foundation import clock
from telephony_gateway.desk import Desk, Planned
from telephony_gateway.engine import Engine
from telephony_gateway.signals import Answered, Arrived, CallSignal, Ended, LegId, Progressed, SoundChanged
from telephony_gateway.switchboard import (
    AnswerCaller,
    Command,
    Connect,
    Dial,
    EndCaller,
    Finish,
    HangUp,
    NoteAnswered,
    NoteLegEnded,
    NoteRinging,
    Stage,
    Switchboard,
    TellCaller,
)

IDLE_MS: Final = 10
BUSY_MS: Final = 3
TICK_S: Final = 0.1
GONE: Final = 487
UNAVAILABLE: Final = 503
OK: Final = 200

log = structlog.get_logger()


@dataclass(slots=True)
class Conversation:
    """A call of this worker: the caller's leg, the others by their index in the plan, and what connects them."""

    caller: LegId
    tenant_id: int
    board: Switchboard = field(default_factory=Switchboard)
    call_id: int = 0
    legs: dict[int, LegId] = field(default_factory=dict)
    connected: int | None = None
    stem: str | None = None


class Exchange:
    """All calls of this worker. One thread calls it."""

    def __init__(self, engine: Engine, desk: Desk) -> None:
        self.engine, self.desk = engine, desk
        self.conversations: dict[LegId, Conversation] = {}
        self.places: dict[LegId, tuple[Conversation, int]] = {}
        self.is_closing = False
        self.ticks_at = 0.0
        self.recordings: Path | None = folder()
        if self.recordings is not None:
            self.recordings.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def live(self) -> int:
        """How many calls are carried now."""
        return len(self.conversations)

    def turn(self) -> None:
        """Once round the loop: what happened on the wire, what was planned, what is due."""
        for signal in self.engine.poll(BUSY_MS if self.desk.waiting else IDLE_MS):
            self._take(signal)
        for planned in self.desk.fetch():
            self._take_plan(planned)
        now = time.monotonic()
        if now >= self.ticks_at:
            self.ticks_at = now + TICK_S
            for conversation in list(self.conversations.values()):
                self._carry_out(conversation, conversation.board.ticked(now))

    def stop(self) -> None:
        """End all calls, and take no new ones."""
        self.is_closing = True
        for conversation in list(self.conversations.values()):
            self._carry_out(conversation, conversation.board.stopped())

    def _take(self, signal: CallSignal) -> None:
        if isinstance(signal, Arrived):
            self._arrive(signal)
        elif signal.leg in self.conversations:
            self._take_from_caller(self.conversations[signal.leg], signal)
        elif signal.leg in self.places:
            self._take_from_leg(*self.places[signal.leg], signal)
        elif isinstance(signal, Ended):
            self.engine.forget(signal.leg)

    def _arrive(self, signal: Arrived) -> None:
        if signal.invite is None:
            self.engine.end(signal.leg, answer_for(Cause.FORBIDDEN))
        elif self.is_closing or self.live >= self.engine.capacity:
            log.warning("call_refused", calls=self.live, is_closing=self.is_closing)
            self.engine.end(signal.leg, UNAVAILABLE)
        else:
            self.conversations[signal.leg] = Conversation(signal.leg, signal.invite.tenant_id)
            self.desk.begin(signal.leg, signal.invite, at=clock.now())

    def _take_from_caller(self, conversation: Conversation, signal: CallSignal) -> None:
        if isinstance(signal, SoundChanged):
            self._connect(conversation)
        elif isinstance(signal, Ended):
            self._carry_out(conversation, conversation.board.caller_ended(signal.status))
            self._let_go(conversation)

    def _take_from_leg(self, conversation: Conversation, index: int, signal: CallSignal) -> None:
        board = conversation.board
        if isinstance(signal, SoundChanged):
            self._connect(conversation)
        elif isinstance(signal, Progressed):
            self._carry_out(conversation, board.progressed(index, signal.status, has_sound=signal.has_sound))
        elif isinstance(signal, Answered):
            self._carry_out(conversation, board.answered(index))
        elif isinstance(signal, Ended):
            self._carry_out(conversation, board.leg_ended(index, signal.status, time.monotonic()))
            self.places.pop(signal.leg, None)
            self.engine.forget(signal.leg)

    def _take_plan(self, planned: Planned) -> None:
        conversation = self.conversations.get(planned.caller)
        if planned.plan is None:
            if conversation is not None:
                status = answer_for(Cause.FORBIDDEN) if planned.is_forbidden else UNAVAILABLE
                self._carry_out(conversation, conversation.board.failed(status))
            return
        if conversation is None:
            return
        conversation.call_id = planned.call_id
        self._carry_out(conversation, conversation.board.planned(planned.plan, time.monotonic()))

    def _carry_out(self, conversation: Conversation, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, NoteRinging | NoteLegEnded | NoteAnswered | Finish):
                self._write_down(conversation, command)
            else:
                self._speak(conversation, command)

    def _speak(
        self, conversation: Conversation, command: Dial | HangUp | TellCaller | AnswerCaller | EndCaller | Connect
    ) -> None:
        match command:
            case Dial(index, leg, domain):
                number = self.engine.dial(leg, domain)
                conversation.legs[index] = number
                self.places[number] = (conversation, index)
            case HangUp(index, is_elsewhere):
                self.engine.end(conversation.legs[index], 0, is_elsewhere=is_elsewhere)
            case TellCaller(status):
                self.engine.answer(conversation.caller, status)
            case AnswerCaller():
                self.engine.answer(conversation.caller, OK)
            case EndCaller(status):
                self.engine.end(conversation.caller, status)
            case Connect(index, is_recorded):
                conversation.connected = index
                if is_recorded:
                    self._record(conversation)
                self._connect(conversation)

    def _write_down(
        self, conversation: Conversation, command: NoteRinging | NoteLegEnded | NoteAnswered | Finish
    ) -> None:
        caller, at = conversation.caller, clock.now()
        match command:
            case NoteRinging(device_id):
                self.desk.ringing(caller, device_id, at=at)
            case NoteLegEnded(device_id, cause, status):
                self.desk.leg_ended(caller, device_id, cause, status, at=at)
            case NoteAnswered(device_id):
                self.desk.answered(caller, device_id, conversation.stem, at=at)
            case Finish(cause, ended_by, status):
                self.engine.stop_recording(caller)
                self.desk.ended(caller, cause, ended_by, status, at=at)

    def _record(self, conversation: Conversation) -> None:
        if self.recordings is not None:
            conversation.stem = f"{conversation.tenant_id}-{conversation.call_id}"
            self.engine.record(conversation.caller, files_of(conversation.stem))

    def _connect(self, conversation: Conversation) -> None:
        if conversation.connected is not None and conversation.board.stage is not Stage.OVER:
            self.engine.connect(conversation.caller, conversation.legs[conversation.connected])

    def _let_go(self, conversation: Conversation) -> None:
        """The caller's leg has ended; legs that were told to end are still on their way."""
        self.conversations.pop(conversation.caller, None)
        self.engine.stop_recording(conversation.caller)
        self.engine.forget(conversation.caller)
        self.desk.forget(conversation.caller)
