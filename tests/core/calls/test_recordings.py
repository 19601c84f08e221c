"""From two WAV files to one encrypted stereo recording with peaks."""

from pathlib import Path

import pytest

from core.calls.causes import Cause, EndedBy
from core.calls.jobs import encode_recording
from core.calls.models import Recording
from core.calls.queries import call_detail, recording_stream
from core.calls.recordings import NotARecording, encode, files_of, folder
from core.calls.service import Ending, end_call, note_answered
from core.foundation import clock
from core.foundation.blobs import Blob, files
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.sound import channels_of, share_with_tone, tone, write_wav
from tests.support.telephony import call_from_outside, set_up

CALLER_HZ, CALLEE_HZ = 440.0, 1000.0


@pytest.fixture
def stem(cast: Cast) -> str:
    """Two files of two seconds, each with a tone of its own."""
    place = folder()
    assert place is not None
    place.mkdir(exist_ok=True)
    for path, frequency in zip(files_of("7-1"), (CALLER_HZ, CALLEE_HZ), strict=True):
        write_wav(path, tone(frequency, 2.0))
    return "7-1"


def test_each_party_has_a_channel(stem: str) -> None:
    (left, right), rate = channels_of(encode(stem).ogg)
    assert share_with_tone(left, CALLER_HZ, rate) > 0.9
    assert share_with_tone(right, CALLEE_HZ, rate) > 0.9
    assert share_with_tone(left, CALLEE_HZ, rate) == share_with_tone(right, CALLER_HZ, rate) == 0


def test_the_length_is_that_of_the_longer_party(stem: str) -> None:
    write_wav(files_of(stem)[1], tone(CALLEE_HZ, 1.0))
    encoded = encode(stem)
    assert encoded.duration_ms == 2000
    assert encoded.ogg[:4] == b"OggS"


def test_peaks_show_who_speaks_when(stem: str) -> None:
    write_wav(files_of(stem)[0], [*tone(CALLER_HZ, 1.0), *tone(0, 1.0)])
    peaks = encode(stem).peaks
    caller, callee = peaks[:200], peaks[200:]
    assert (len(caller), len(callee)) == (200, 200)
    assert min(caller[:95]) > 100
    assert max(caller[105:]) == 0
    assert min(callee) > 100


def test_a_file_whose_header_was_not_finished_counts_by_its_length(stem: str) -> None:
    for path in files_of(stem):
        sound = bytearray(path.read_bytes())
        sound[4:8] = sound[40:44] = bytes(4)
        path.write_bytes(sound[:-1])
    encoded = encode(stem)
    assert 1990 <= encoded.duration_ms <= 2000
    (left, _right), rate = channels_of(encoded.ogg)
    assert share_with_tone(left, CALLER_HZ, rate) > 0.9


def test_one_party_alone_is_kept_beside_silence(stem: str) -> None:
    files_of(stem)[0].unlink()
    (left, right), rate = channels_of(encode(stem).ogg)
    assert max(left) * 8 < max(right)
    assert share_with_tone(right, CALLEE_HZ, rate) > 0.9


@pytest.mark.parametrize("sound", [b"", b"RIFF", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0", b"\0" * 100])
def test_a_broken_file_is_no_recording(stem: str, sound: bytes) -> None:
    for path in files_of(stem):
        path.write_bytes(sound)
    with pytest.raises(NotARecording):
        encode(stem)


def test_a_recording_is_encrypted_kept_and_played_and_its_files_go(work_as: WorkAs, cast: Cast, stem: str) -> None:
    with work_as("system") as work:
        call_id = call_from_outside(work, set_up(work, cast.demo)).call_id
        note_answered(work, call_id, None, at=clock.now(), stem=stem)
        ending = Ending(cause=Cause.ANSWERED, ended_by=EndedBy.CALLER, at=clock.now(), sip_status=200)
        end_call(work, call_id, ending)
        recording_id = work.session.query(Recording.id).scalar()
        actor = work.actor
    encode_recording(actor, recording_id=recording_id)
    encode_recording(actor, recording_id=recording_id)
    assert not any(path.exists() for path in files_of(stem))
    with work_as("boris") as work:
        view = call_detail(work, call_id).recording
        sound = recording_stream(work, call_id)
        stored = files().read(work.session.query(Blob.location).order_by(Blob.id.desc()).limit(1).scalar())
    assert view is not None
    assert (view.state, view.duration_ms, len(view.caller_peaks), len(view.callee_peaks)) == ("ready", 2000, 200, 200)
    assert sound[:4] == b"OggS"
    assert sound[:200] not in stored


def test_a_recording_without_files_is_marked_as_failed(work_as: WorkAs, cast: Cast, tmp_path: Path) -> None:
    place = folder()
    assert place is not None
    place.mkdir(exist_ok=True)
    with work_as("system") as work:
        call_id = call_from_outside(work, set_up(work, cast.demo)).call_id
        recording = Recording(call_id=call_id, stem="none", state="encoding")
        work.session.add(recording)
        work.session.flush()
        actor = work.actor
    encode_recording(actor, recording_id=recording.id)
    with work_as("system") as work:
        assert work.session.get_one(Recording, recording.id, populate_existing=True).state == "failed"
