"""``python -m deploy.telephony``: make pjsua2 if it is missing. Ends with 0 if it was built, 3 if the wheel serves."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy.telephony.cache import HERE, Engine, Kind, NotUsable, finished, home, make
from deploy.telephony.recipe import BuildFailed, build
from deploy.telephony.source import SourceMissing, fetch

POLITE: Final = 10
BUILT, FAILED, WHEEL = 0, 1, 3


def main() -> int:
    """Build, or fetch the wheel; says in its last line what became of it."""
    os.nice(POLITE)
    try:
        engine = finished(Kind.BUILT) or make(Kind.BUILT, _build)
    except (BuildFailed, SourceMissing, NotUsable, OSError) as error:
        _say(f"cannot be built: {error}")
    else:
        return _report(engine, BUILT)
    try:
        return _report(finished(Kind.WHEEL) or make(Kind.WHEEL, _install_wheel), WHEEL)
    except (BuildFailed, NotUsable, OSError) as error:
        _say(f"the wheel does not serve either: {error}")
        return FAILED


def _build(workshop: Path, target: Path) -> None:
    build(fetch(home().parent / "sources"), workshop, target)


def _install_wheel(_workshop: Path, target: Path) -> None:
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
        "--only-binary", ":all:", "--no-deps", "--target", str(target), "-r", str(HERE / "wheel.lock"),
    ]  # fmt: skip
    if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode != 0:  # noqa: S603  # fixed command
        raise BuildFailed("the wheel pjsua2-python could not be installed")


def _report(engine: Engine, code: int) -> int:
    _say(f"{engine.kind} {engine.folder} {engine.made_in_s:.0f} s")
    return code


def _say(text: str) -> None:
    sys.stdout.write(f"pjsua2: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
