"""Sound in tests: tones, WAV files, and which tone a recording holds."""

import io
import math
import wave
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import av

RATE: Final = 8000
LOUD: Final = 0.25
BLOCK_S: Final = 0.1
WAV_HEAD_BYTES: Final = 44


def tone(frequency: float, seconds: float, *, rate: int = RATE, amplitude: float = LOUD) -> "array[int]":
    """A sine of 16-bit samples; of frequency 0, silence."""
    step = 2 * math.pi * frequency / rate
    top = amplitude * 32767
    return array("h", (round(top * math.sin(step * place)) for place in range(round(seconds * rate))))


def write_wav(path: Path, samples: Sequence[int], *, rate: int = RATE) -> None:
    """A mono WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(array("h", samples).tobytes())


def channels_of(ogg: bytes) -> tuple[list["array[int]"], int]:
    """The channels of an encoded recording, and their rate."""
    channels: list[array[int]] = [array("h"), array("h")]
    with av.open(io.BytesIO(ogg), "r") as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="s16p", layout="stereo", rate=stream.rate)
        for frame in container.decode(stream):
            for part in resampler.resample(frame):
                for side, plane in zip(channels, part.planes, strict=True):
                    side.frombytes(bytes(plane)[: part.samples * 2])
        return channels, int(stream.rate)


def strength(samples: Sequence[int], frequency: float, rate: int = RATE) -> float:
    """How much of the sound is a tone of this frequency, from 0 to 1 (Goertzel's algorithm)."""
    energy = sum(sample * sample for sample in samples)
    if not energy:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * frequency / rate)
    before, last = 0.0, 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    power = before * before + last * last - turn * before * last
    return 2 * power / (energy * len(samples))


def share_with_tone(samples: Sequence[int], frequency: float, rate: int = RATE, *, least: float = 0.5) -> float:
    """The share of tenths of a second in which the tone is most of what is heard."""
    size = round(rate * BLOCK_S)
    blocks = [samples[start : start + size] for start in range(0, len(samples) - size + 1, size)]
    return sum(strength(block, frequency, rate) >= least for block in blocks) / len(blocks) if blocks else 0.0


def read_wav(path: Path) -> "tuple[array[int], int]":
    """The samples of a mono WAV file that may still be written, and its rate."""
    content = path.read_bytes()
    samples = content[WAV_HEAD_BYTES:]
    return array("h", samples[: len(samples) & ~1]), int.from_bytes(content[24:28], "little") or RATE
