"""A call from outside with its recording, as it is once everything about it is stored."""

from datetime import timedelta
from typing import Final

from core.calls.causes import Cause, EndedBy
from core.calls.models import Recording
from core.calls.service import Ending, end_call, note_answered, note_ringing
from core.foundation import clock
from core.foundation.blobs import store_blob
from core.foundation.unit_of_work import Work
from tests.support.telephony import OUTSIDE, Telephony, call_from_outside

SOUND: Final = b"OggS" + bytes(range(256)) * 8
PEAKS: Final = bytes(place % 256 for place in range(200)) + bytes(200)
SPOKEN: Final = timedelta(seconds=75)


def ended_call(work: Work, telephony: Telephony, *, caller: str = OUTSIDE) -> int:
    """A call to Boris that he answered after 4 seconds and the caller ended after 75."""
    call_id = call_from_outside(work, telephony, caller=caller).call_id
    phone, began = telephony.phones["101"].id, clock.now()
    note_ringing(work, call_id, phone, at=began)
    note_answered(work, call_id, phone, at=began + timedelta(seconds=4))
    end = began + timedelta(seconds=4) + SPOKEN
    end_call(work, call_id, Ending(cause=Cause.ANSWERED, ended_by=EndedBy.CALLER, at=end, sip_status=200))
    return call_id


def recorded_call(work: Work, telephony: Telephony, *, caller: str = OUTSIDE, state: str = "ready") -> int:
    """An ended call with a recording in this state."""
    call_id = ended_call(work, telephony, caller=caller)
    is_ready = state == "ready"
    recording = Recording(
        call_id=call_id,
        stem=f"call-{call_id}",
        state=state,
        blob_id=store_blob(work, SOUND) if is_ready else None,
        duration_ms=75_000 if is_ready else 0,
        peaks=PEAKS if is_ready else b"",
    )
    work.session.add(recording)
    work.session.flush()
    return call_id
