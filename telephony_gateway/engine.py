"""SIP and sound, by pjsua2: the only module that knows it.

One thread calls everything here, in a loop with ``poll``; sound runs in the library's own threads. Callbacks run inside
of ``poll`` and do nothing but leave a signal: a call that is answered or ended inside of one can be gone before the
library has finished with it. Every call is referred to until it has ended, since Python would end it with its last
reference.
"""

import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pjsua2 as pj
import structlog

from core.calls.plans import Credentials, Leg
from telephony_gateway.invites import caller_address, read_invite
from telephony_gateway.signals import Answered, Arrived, CallSignal, Ended, LegId, Progressed, SoundChanged

NARROW_HZ: Final = 8000
WIDE_HZ: Final = 16000
CODECS: Final[Mapping[int, tuple[str, ...]]] = {
    NARROW_HZ: ("PCMA/8000", "PCMU/8000"),
    WIDE_HZ: ("G722/16000", "opus/48000", "PCMA/8000", "PCMU/8000"),
}
"""Best first. At a clock of 8 kHz wider codecs would cost much and carry nothing more."""

LEGS_BUILT: Final = 1000
LEGS_OF_WHEEL: Final = 4
LEGS_A_CALL: Final = 2
MEDIA_PORTS: Final = 4000
RTP_PORTS: Final = 1999
USER_AGENT: Final = "Centrala"
CONNECTABLE: Final = (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD)
BROWSERS_SOUND: Final = "UDP/TLS/RTP/SAVP"
ENCRYPTED_SOUND: Final = "RTP/SAVP"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Where this worker listens, whom it trusts, and how it carries sound.

    ``port``: TCP on loopback. ``edge_port``: the edge's inner door, beside which nobody is heard. ``sound_host`` and
    ``first_sound_port``: the address and 2,000 UDP ports for RTP. ``clock_hz``: 8000 or 16000.
    """

    port: int
    edge_port: int
    sound_host: str
    first_sound_port: int
    clock_hz: int = NARROW_HZ
    log_level: int = 0


class _Call(pj.Call):  # type: ignore[misc]  # the library ships no types
    """A leg; its callbacks leave signals."""

    def __init__(self, account: Any, leg: LegId, signals: deque[CallSignal], *, call_id: int, is_ours: bool) -> None:
        super().__init__(account, call_id)
        self.leg, self.signals, self.is_ours = leg, signals, is_ours

    def onCallState(self, _prm: Any) -> None:  # noqa: N802  # the library's name
        """Leave a signal of what the leg has come to."""
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.signals.append(Ended(self.leg, info.lastStatusCode))
        elif self.is_ours and info.state == pj.PJSIP_INV_STATE_EARLY:
            has_sound = any(media.status == pj.PJSUA_CALL_MEDIA_ACTIVE for media in info.media)
            self.signals.append(Progressed(self.leg, info.lastStatusCode, has_sound))
        elif self.is_ours and info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            self.signals.append(Answered(self.leg))

    def onCallMediaState(self, _prm: Any) -> None:  # noqa: N802  # the library's name
        """Leave a signal that sound flows otherwise."""
        self.signals.append(SoundChanged(self.leg))

    def onCallTransferRequest(self, prm: Any) -> None:  # noqa: N802  # the library's name
        """Refuse: without this, the library itself would dial whatever a phone names."""
        prm.statusCode = pj.PJSIP_SC_NOT_IMPLEMENTED

    def onCallReplaceRequest(self, prm: Any) -> None:  # noqa: N802  # the library's name
        """Refuse: a call is taken over by us alone."""
        prm.statusCode = pj.PJSIP_SC_NOT_IMPLEMENTED

    def onCallRedirected(self, _prm: Any) -> Any:  # noqa: N802  # the library's name
        """Refuse: a device does not decide where calls go."""
        return pj.PJSIP_REDIRECT_REJECT


class _Account(pj.Account):  # type: ignore[misc]  # the library ships no types
    """Where legs belong to; it is registered nowhere."""

    def __init__(self, engine: "Engine") -> None:
        super().__init__()
        self.engine = engine

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802  # the library's name
        """Keep the call and leave a signal."""
        self.engine.take(self, prm)


class _Endpoint(pj.Endpoint):  # type: ignore[misc]  # the library ships no types
    """The library itself; lets the kind of sound choose the account, since they differ in nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.by_sound: tuple[tuple[str, int], ...] = ()

    def onSelectAccount(self, prm: Any) -> None:  # noqa: N802  # the library's name
        """Choose the account for a call that comes in."""
        message = prm.rdata.wholeMsg
        if message.startswith("INVITE "):
            prm.accountIndex = next(index for kind, index in self.by_sound if kind in message)


@dataclass(slots=True)
class _Tape:
    """The files of one recorded call."""

    caller: Any
    callee: Any


class Engine:
    """The legs of this process. Methods raise nothing for a leg that is gone: its ``Ended`` is on the way."""

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self.signals: deque[CallSignal] = deque()
        self.calls: dict[LegId, _Call] = {}
        self.tapes: dict[LegId, _Tape] = {}
        self.trunk_accounts: dict[tuple[int, str, str], _Account] = {}
        self.last_leg = 0
        self.endpoint = _Endpoint()
        with _silenced():
            self.endpoint.libCreate()
        self.endpoint.libInit(self._settings())
        self.legs = LEGS_BUILT if self._has_opus() else LEGS_OF_WHEEL
        self.endpoint.audDevManager().setNullDev()
        self._listen()
        self.endpoint.libStart()
        self._rank_codecs()
        self.browser = self._add_account(_for_browsers(self._account_settings()))
        self.encrypted = self._add_account(_for_encrypted(self._account_settings()))
        self.plain = self._add_account(self._account_settings(), is_default=True)
        self.endpoint.by_sound = (
            (BROWSERS_SOUND, self.browser.getId()),
            (ENCRYPTED_SOUND, self.encrypted.getId()),
            ("", self.plain.getId()),
        )
        self.silence = pj.ToneGenerator()
        self.silence.createToneGenerator(settings.clock_hz, 1)

    @property
    def capacity(self) -> int:
        """How many calls fit."""
        return self.legs // LEGS_A_CALL

    def poll(self, timeout_ms: int) -> Iterator[CallSignal]:
        """Wait for the network at most so long, then everything that happened."""
        self.endpoint.libHandleEvents(timeout_ms)
        while self.signals:
            yield self.signals.popleft()

    def dial(self, leg: Leg, domain: str) -> LegId:
        """Ring a device or a number; what follows comes as signals."""
        number = self._next_leg()
        account = self._trunk_account(leg.trunk_id, leg.credentials) if leg.credentials and leg.trunk_id else None
        account = account or (self.browser if leg.is_browser else self.plain)
        call = _Call(account, number, self.signals, call_id=pj.PJSUA_INVALID_ID, is_ours=True)
        parameters = _parameters()
        parameters.txOption.localUri = caller_address(leg, domain)
        if leg.trunk_id is not None:
            parameters.txOption.headers = _headers({"X-Trunk": str(leg.trunk_id)})
        try:
            call.makeCall(leg.uri, parameters)
        except pj.Error as error:
            log.warning("leg_not_made", status=error.status)
            self.signals.append(Ended(number, pj.PJSIP_SC_INTERNAL_SERVER_ERROR))
        self.calls[number] = call
        return number

    def answer(self, leg: LegId, status: int) -> None:
        """Answer the caller: 180, 183 with sound, or 200."""
        parameters = _parameters()
        parameters.statusCode = status
        self._do(leg, "answer", parameters)

    def end(self, leg: LegId, status: int, *, is_elsewhere: bool = False) -> None:
        """End a leg in the way that its state asks for: refuse, cancel, or hang up."""
        parameters = pj.CallOpParam()
        parameters.statusCode = status
        if is_elsewhere:
            reason = 'SIP;cause=200;text="Call completed elsewhere"'  # RFC 3326, so that a phone shows no missed call
            parameters.txOption.headers = _headers({"Reason": reason})
        self._do(leg, "hangup", parameters)

    def connect(self, caller: LegId, callee: LegId) -> bool:
        """Let sound flow between two legs, and into their files; answers whether both have any yet."""
        first, second = self._sound(caller), self._sound(callee)
        if first is None or second is None:
            return False
        tape = self.tapes.get(caller)
        try:
            first.startTransmit(second)
            second.startTransmit(first)
            if tape is not None:
                first.startTransmit(tape.caller)
                second.startTransmit(tape.callee)
        except pj.Error as error:
            log.warning("sound_not_connected", status=error.status)
            return False
        return True

    def record(self, caller: LegId, files: tuple[Path, Path]) -> None:
        """Open the files of a call.

        Silence flows into both all the time: a recorder stands still while it hears nobody, and the two would drift
        apart.
        """
        try:
            tape = _Tape(_recorder(files[0]), _recorder(files[1]))
            for side in (tape.caller, tape.callee):
                self.silence.startTransmit(side)
        except pj.Error as error:
            log.warning("call_not_recorded", status=error.status)
            return
        self.tapes[caller] = tape

    def stop_recording(self, caller: LegId) -> None:
        """Finish the files."""
        tape = self.tapes.pop(caller, None)
        if tape is not None:
            for side in (tape.caller, tape.callee):
                self.silence.stopTransmit(side)

    def forget(self, leg: LegId) -> None:
        """Let go of a leg that has ended."""
        self.calls.pop(leg, None)

    def close(self) -> None:
        """End the library; nothing may be called afterwards."""
        self.calls.clear()
        self.tapes.clear()
        del self.silence
        self.endpoint.libDestroy()

    def take(self, account: _Account, prm: Any) -> None:
        """Keep a call that just came in; called by the library."""
        number = self._next_leg()
        self.calls[number] = _Call(account, number, self.signals, call_id=prm.callId, is_ours=False)
        self.signals.append(Arrived(number, read_invite(prm.rdata.wholeMsg, edge_port=self.settings.edge_port)))

    def _next_leg(self) -> LegId:
        self.last_leg += 1
        return self.last_leg

    def _do(self, leg: LegId, what: str, parameters: Any) -> None:
        call = self.calls.get(leg)
        if call is None:
            return
        try:
            getattr(call, what)(parameters)
        except pj.Error as error:
            log.info("leg_is_gone", what=what, status=error.status)

    def _sound(self, leg: LegId) -> Any:
        call = self.calls.get(leg)
        if call is None:
            return None
        try:
            info = call.getInfo()  # it owns the list of media, which dies with it
            index = next(
                (m.index for m in info.media if m.type == pj.PJMEDIA_TYPE_AUDIO and m.status in CONNECTABLE), None
            )
            return None if index is None else call.getAudioMedia(index)
        except pj.Error:
            return None

    def _has_opus(self) -> bool:
        """Whether this is our build: the wheel has neither Opus nor room for more than 4 legs, and does not say so."""
        return any(codec.codecId.startswith("opus") for codec in self.endpoint.codecEnum2())

    def _settings(self) -> Any:
        config = pj.EpConfig()
        config.logConfig.level = config.logConfig.consoleLevel = self.settings.log_level
        config.logConfig.msgLogging = 0
        config.uaConfig.maxCalls = LEGS_BUILT
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.userAgent = USER_AGENT
        config.medConfig.clockRate = config.medConfig.sndClockRate = self.settings.clock_hz
        config.medConfig.maxMediaPorts = MEDIA_PORTS
        config.medConfig.ecTailLen = 0
        config.medConfig.noVad = True
        config.medConfig.sndAutoCloseTime = -1
        return config

    def _listen(self) -> None:
        transport = pj.TransportConfig()
        transport.port, transport.boundAddress = self.settings.port, "127.0.0.1"
        self.endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, transport)

    def _rank_codecs(self) -> None:
        wanted = CODECS[self.settings.clock_hz]
        for codec in self.endpoint.codecEnum2():
            rank = next((place for place, name in enumerate(wanted) if codec.codecId.startswith(name)), None)
            self.endpoint.codecSetPriority(codec.codecId, 0 if rank is None else 250 - 10 * rank)

    def _account_settings(self) -> Any:
        config = pj.AccountConfig()
        config.idUri = f"sip:centrala@127.0.0.1:{self.settings.port}"
        config.regConfig.registerOnAdd = False
        # Where the edge finds us for the rest of a call; the library would name the port that it happens to call from.
        config.sipConfig.contactForced = f"<{config.idUri};transport=tcp>"
        config.natConfig.sipOutboundUse = 0
        config.sipConfig.proxies = pj.StringVector([f"sip:127.0.0.1:{self.settings.edge_port};transport=tcp;lr"])
        sound = pj.TransportConfig()
        sound.boundAddress, sound.port = self.settings.sound_host, self.settings.first_sound_port
        sound.portRange = RTP_PORTS
        config.mediaConfig.transportConfig = sound
        return config

    def _add_account(self, config: Any, *, is_default: bool = False) -> _Account:
        account = _Account(self)
        account.create(config, is_default)
        return account

    def _trunk_account(self, trunk_id: int, credentials: Credentials) -> _Account:
        """An account that answers the provider's challenge; a new one after a change of the password."""
        key = (trunk_id, credentials.username, credentials.password)
        if key not in self.trunk_accounts:
            config = self._account_settings()
            answer = pj.AuthCredInfo("digest", "*", credentials.username, 0, credentials.password)
            config.sipConfig.authCreds.append(answer)
            self.trunk_accounts[key] = self._add_account(config)
        return self.trunk_accounts[key]


def _for_browsers(config: Any) -> Any:
    """What browsers ask for: DTLS-SRTP, ICE, and RTCP on the same port (RFC 8827, RFC 8834)."""
    config.natConfig.iceEnabled = True
    config.mediaConfig.rtcpMuxEnabled = True
    config.mediaConfig.srtpUse = pj.PJMEDIA_SRTP_MANDATORY
    config.mediaConfig.srtpSecureSignaling = 0
    config.mediaConfig.srtpOpt.keyings = pj.IntVector([pj.PJMEDIA_SRTP_KEYING_DTLS_SRTP])
    return config


def _for_encrypted(config: Any) -> Any:
    """Phones that send their keys in the signalling (RFC 4568)."""
    config.mediaConfig.srtpUse = pj.PJMEDIA_SRTP_OPTIONAL
    config.mediaConfig.srtpSecureSignaling = 0
    config.mediaConfig.srtpOpt.keyings = pj.IntVector([pj.PJMEDIA_SRTP_KEYING_SDES])
    return config


def _parameters() -> Any:
    parameters = pj.CallOpParam(True)
    parameters.opt.audioCount, parameters.opt.videoCount, parameters.opt.textCount = 1, 0, 0
    return parameters


def _headers(values: Mapping[str, str]) -> Any:
    headers = pj.SipHeaderVector()
    for name, value in values.items():
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        headers.append(header)
    return headers


@contextmanager
def _silenced() -> Iterator[None]:
    """Nothing reaches standard output: the library prints lines of its own before it can be told not to."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  # a device
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _recorder(path: Path) -> Any:
    recorder = pj.AudioMediaRecorder()
    recorder.createRecorder(str(path))
    return recorder
