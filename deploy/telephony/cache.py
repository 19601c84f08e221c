"""Where finished engines lie, outside every checkout, and how one gets there whole or not at all."""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
RECIPE: Final = ("recipe.py", "config_site.h", "pjproject.patch")
WHEEL: Final = ("wheel.lock",)
UNFINISHED: Final = ".unfinished-"
FACTS: Final = "facts.json"
CHECK_S: Final = 30
TOLD_TO_END: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL})
WHEEL_LEGS: Final = 4

CHECK: Final = """
import json, pjsua2
endpoint = pjsua2.Endpoint()
endpoint.libCreate()
config = pjsua2.EpConfig()
config.logConfig.level = config.logConfig.consoleLevel = 0
config.uaConfig.maxCalls = {calls}
endpoint.libInit(config)
codecs = [codec.codecId.partition("/")[0] for codec in endpoint.codecEnum2()]
print("facts", json.dumps([endpoint.libVersion().full, codecs]), flush=True)
endpoint.libDestroy()
"""


class Kind(StrEnum):
    """Which engine: our own build, or the wheel that carries four legs a process."""

    BUILT = "built"
    WHEEL = "wheel"


class NotUsable(RuntimeError):
    """An engine was made, but Python cannot use it."""


class Unanswered(NotUsable):
    """The engine had no chance to answer: the machine is busy with other things, or whoever asked was told to end."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What an engine says of itself: pjproject's version, the names of its codecs."""

    version: str
    codecs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Engine:
    """A finished pjsua2: the folder for ``PYTHONPATH``, and how many seconds its making took."""

    kind: Kind
    folder: Path
    made_in_s: float


def home() -> Path:
    """The folder with all engines of this account."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "centrala" / "pjsua2"


def folder_of(kind: Kind) -> Path:
    """Where an engine of this recipe, for this Python on this kind of machine, belongs."""
    digest = hashlib.sha256(f"{kind} {sysconfig.get_config_var('SOABI')} {platform.machine()}".encode())
    for name in RECIPE if kind is Kind.BUILT else WHEEL:
        digest.update(b"\0" + (HERE / name).read_bytes())
    return home() / digest.hexdigest()[:16]


def python_path() -> str:
    """What makes ``import pjsua2`` find the best engine that there is."""
    return os.pathsep.join(str(folder_of(kind)) for kind in Kind)


def finished(kind: Kind) -> Engine | None:
    """The engine if it lies there and can be used; one that cannot, as after an upgrade of the system, is removed.

    One that had no chance to answer is taken as it is: other checkouts use it, and making it anew takes minutes.
    """
    folder = folder_of(kind)
    if not (folder / FACTS).exists():
        return None
    try:
        check(folder, kind)
    except Unanswered:
        pass
    except NotUsable:
        with _locked():
            shutil.rmtree(folder, ignore_errors=True)
        return None
    facts = json.loads((folder / FACTS).read_text())
    return Engine(kind, folder, facts["made_in_s"])


def make(kind: Kind, how: Callable[[Path, Path], None]) -> Engine:
    """Let ``how(workshop, target)`` make the engine, unless another checkout does so meanwhile.

    What a broken-off attempt left behind is removed. Raises ``NotUsable`` and whatever ``how`` raises.
    """
    with _locked():
        if engine := _already(kind):
            return engine
        _remove_leftovers()
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=home(), ignore_cleanup_errors=True) as name:
            workshop, target = Path(name) / "work", Path(name) / "engine"
            workshop.mkdir()
            how(workshop, target)
            facts = check(target, kind)
            made_in_s = round(time.monotonic() - began, 1)
            (target / FACTS).write_text(json.dumps({**asdict(facts), "made_in_s": made_in_s}))
            shutil.rmtree(folder_of(kind), ignore_errors=True)
            target.rename(folder_of(kind))
    return Engine(kind, folder_of(kind), made_in_s)


def check(folder: Path, kind: Kind) -> Facts:
    """Import the engine in a process of its own and start it.

    Raises:
        NotUsable: it cannot be imported, or is not what the recipe makes; ``Unanswered`` if it had no chance to say.
    """
    calls = 1024 if kind is Kind.BUILT else WHEEL_LEGS
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter
            [sys.executable, "-c", CHECK.format(calls=calls)],
            env={"PYTHONPATH": str(folder), "PATH": os.environ.get("PATH", "")},
            capture_output=True,
            text=True,
            check=False,
            timeout=CHECK_S,
        )
    except subprocess.TimeoutExpired as error:
        raise Unanswered("pjsua2 hangs when it is started") from error
    said = [line.removeprefix("facts ") for line in done.stdout.splitlines() if line.startswith("facts ")]
    if -done.returncode in TOLD_TO_END:  # Ctrl-C reaches the whole group
        raise Unanswered("pjsua2 was stopped before it answered")
    if done.returncode != 0 or not said:
        raise NotUsable(f"pjsua2 cannot be used: {done.stderr.strip()[-300:]}")
    version, codecs = json.loads(said[0])
    if kind is Kind.BUILT and "opus" not in codecs:
        raise NotUsable("pjsua2 was built without Opus")
    return Facts(version, tuple(codecs))


def _already(kind: Kind) -> Engine | None:
    folder = folder_of(kind)
    if not (folder / FACTS).exists():
        return None
    return Engine(kind, folder, json.loads((folder / FACTS).read_text())["made_in_s"])


def _remove_leftovers() -> None:
    """Only whoever holds the lock makes anything, so every unfinished folder is a leftover."""
    for leftover in home().glob(f"{UNFINISHED}*"):
        shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def _locked() -> Iterator[None]:
    """Hold what the kernel lets go of when we end, however that happens."""
    home().mkdir(parents=True, exist_ok=True)
    with (home() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
