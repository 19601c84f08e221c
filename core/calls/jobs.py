"""What happens to recordings after a commit."""

import structlog

from core.calls.events import RecordingReady
from core.calls.models import Recording
from core.calls.recordings import NotARecording, encode, folder, remove_files
from core.calls.service import ENCODE_JOB
from core.foundation.actor import Actor
from core.foundation.blobs import store_blob
from core.foundation.errors import Unavailable
from core.foundation.i18n import _
from core.foundation.jobs import job
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.unit_of_work import unit_of_work

log = structlog.get_logger()


@job(ENCODE_JOB)
def encode_recording(actor: Actor, *, recording_id: int) -> None:
    """Encode, encrypt and keep a recording, then remove the files that it was made of. Emits ``RecordingReady``."""
    with unit_of_work(actor) as work:
        row = work.session.get(Recording, recording_id)
        stem = row.stem if row is not None and row.state == "encoding" else None
    if stem is None:
        return
    place = folder()
    if place is None or not place.is_dir():
        raise Unavailable(_("The folder of recordings cannot be read."))
    try:
        encoded = encode(stem)
    except NotARecording:
        log.warning("recording_without_sound", recording_id=recording_id)
        encoded = None
    with unit_of_work(actor) as work:
        row = work.session.get(Recording, recording_id, with_for_update=True)
        if row is None or row.state != "encoding":
            return
        if encoded is None:
            row.state = "failed"
        else:
            row.blob_id = store_blob(work, encoded.ogg)
            row.duration_ms, row.peaks, row.state = encoded.duration_ms, encoded.peaks, "ready"
            emit(work, RecordingReady(row.call_id))
        tell(work, "call", [row.call_id])
    remove_files(stem)
