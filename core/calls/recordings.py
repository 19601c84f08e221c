"""From two WAV files to one stereo file of Opus in Ogg (RFC 7845), with the peaks that a waveform is drawn from.

The gateway writes a file a party, caller and callee, both from the same moment on. A worker that was killed leaves
headers that name no length; then the length is what the file has.
"""

import io
import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final

import av
from av.audio.frame import AudioFrame

from core.foundation.settings import settings

SIDES: Final = ("caller", "callee")
PEAKS: Final = 200
LOUDEST: Final = 32768
HIGHEST_PEAK: Final = 255
SAMPLE_BYTES: Final = 2
BIT_RATE: Final = 32_000
RATES: Final = (8000, 12000, 16000, 24000, 48000)
FRAMES_A_SECOND: Final = 50
BLOCKS_A_SECOND: Final = 20
RIFF_BYTES: Final = 12
CHUNK_HEAD_BYTES: Final = 8
FORMAT_BYTES: Final = 16
PCM: Final = 1


class NotARecording(ValueError):
    """There are no files, or no sound in them."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A finished recording. ``peaks`` holds 200 values from 0 to 255 for the left channel, as many for the right."""

    ogg: bytes
    duration_ms: int
    peaks: bytes


@dataclass(frozen=True, slots=True)
class Wav:
    """A mono WAV file of 16-bit PCM: its rate in Hz, and where its samples are."""

    path: Path
    rate: int
    offset: int
    samples: int


def folder() -> Path | None:
    """Where sound lies until it is encoded; None where calls are not recorded."""
    return Path(settings().recordings_folder) if settings().recordings_folder else None


def files_of(stem: str) -> tuple[Path, Path]:
    """The caller's and the callee's file."""
    return _in_folder(f"{stem}-{SIDES[0]}.wav"), _in_folder(f"{stem}-{SIDES[1]}.wav")


def encode(stem: str) -> Encoded:
    """Encode both files; raises ``NotARecording``, ``OSError``."""
    parties = [wav for path in files_of(stem) if (wav := _open_wav(path)) is not None]
    if not parties:
        raise NotARecording
    left, right = (parties * 2)[:2] if len(parties) == len(SIDES) else _with_silence(parties[0])
    if left.rate != right.rate:
        raise NotARecording
    length = max(left.samples, right.samples)
    blocks: tuple[list[int], list[int]] = ([], [])
    sound = io.BytesIO()
    with av.open(sound, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=left.rate, layout="stereo")
        stream.bit_rate = BIT_RATE
        stream.options = {"application": "voip"}
        place = 0
        for pair in zip(_seconds(left, length), _seconds(right, length), strict=True):
            _measure(pair, left.rate, blocks)
            for frame in _frames(pair, left.rate, place):
                container.mux(stream.encode(frame))
            place += len(pair[0])
        container.mux(stream.encode(None))
    peaks = b"".join(_peaks(channel) for channel in blocks)
    return Encoded(sound.getvalue(), round(length * 1000 / left.rate), peaks)


def remove_files(stem: str) -> None:
    """Remove both files; they may be gone already."""
    for path in files_of(stem):
        path.unlink(missing_ok=True)


def _in_folder(name: str) -> Path:
    found = folder()
    if found is None:
        raise NotARecording
    return found / name


def _with_silence(only: Wav) -> tuple[Wav, Wav]:
    """The one party that was heard, beside nothing."""
    silent = Wav(only.path, only.rate, only.offset, 0)
    return (only, silent) if only.path.stem.endswith(SIDES[0]) else (silent, only)


def _open_wav(path: Path) -> Wav | None:
    """The file, if it holds sound. Its length is its own, whatever the header says."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            found = _chunks(file)
    except FileNotFoundError:
        return None
    if found is None:
        return None
    rate, offset = found
    samples = (size - offset) // SAMPLE_BYTES
    return Wav(path, rate, offset, samples) if samples > 0 and rate in RATES else None


def _chunks(file: BinaryIO) -> tuple[int, int] | None:
    """The rate, and where the samples begin; None if this is no mono WAV of 16 bits."""
    head = file.read(RIFF_BYTES)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    rate = 0
    while len(chunk := file.read(CHUNK_HEAD_BYTES)) == CHUNK_HEAD_BYTES:
        name, length = chunk[:4], int.from_bytes(chunk[4:], "little")
        if name == b"data":
            return (rate, file.tell()) if rate else None
        body = file.read(length + length % 2)
        if name == b"fmt " and len(body) >= FORMAT_BYTES:
            kind, channels, bits = (int.from_bytes(body[place : place + 2], "little") for place in (0, 2, 14))
            if (kind, channels, bits) != (PCM, 1, 8 * SAMPLE_BYTES):
                return None
            rate = int.from_bytes(body[4:8], "little")
    return None


def _seconds(wav: Wav, length: int) -> Iterator["array[int]"]:
    """The samples second by second, with silence after the end up to ``length``."""
    with wav.path.open("rb") as file:
        file.seek(wav.offset)
        left = wav.samples
        for start in range(0, length, wav.rate):
            wanted = min(wav.rate, length - start)
            samples = array("h", file.read(min(wanted, left) * SAMPLE_BYTES))
            if sys.byteorder == "big":
                samples.byteswap()
            left -= len(samples)
            samples.frombytes(bytes((wanted - len(samples)) * SAMPLE_BYTES))
            yield samples


def _frames(pair: Sequence["array[int]"], rate: int, place: int) -> Iterator[AudioFrame]:
    """Stereo frames of 20 ms, the length that Opus is best at; the last one is filled with silence."""
    size = rate // FRAMES_A_SECOND
    for start in range(0, len(pair[0]), size):
        both = array("h", bytes(size * SAMPLE_BYTES * len(pair)))
        for side, samples in enumerate(pair):
            part = samples[start : start + size]
            both[side : len(part) * len(pair) : len(pair)] = part
        frame = AudioFrame(format="s16", layout="stereo", samples=size)
        frame.planes[0].update(both.tobytes())
        frame.sample_rate, frame.pts = rate, place + start
        yield frame


def _measure(pair: Sequence["array[int]"], rate: int, blocks: Sequence[list[int]]) -> None:
    size = rate // BLOCKS_A_SECOND
    for samples, found in zip(pair, blocks, strict=True):
        for start in range(0, len(samples), size):
            part = samples[start : start + size]
            lowest, highest = min(part), max(part)
            found.append(max(-lowest, highest))


def _peaks(blocks: Sequence[int]) -> bytes:
    """The loudest of each stretch, on a scale on which speech can be seen: the square root of the amplitude."""
    edges = [number * len(blocks) // PEAKS for number in range(PEAKS + 1)]
    stretches = (blocks[first:last] or blocks[first : first + 1] for first, last in pairwise(edges))
    return bytes(round((max(stretch) / LOUDEST) ** 0.5 * HIGHEST_PEAK) for stretch in stretches)
