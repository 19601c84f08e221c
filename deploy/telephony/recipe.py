"""How pjsua2 is built: pjproject's libraries, then the Python module around them, for the Python that runs this."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
PACKAGES: Final = (
    "gcc", "g++", "make", "swig", "patch", "xz-utils", "libssl-dev", "libopus-dev", "libsrtp2-dev", "libspeexdsp-dev",
)  # fmt: skip
CONFIGURE: Final = (
    "--enable-epoll", "--with-external-srtp", "--enable-speex-resample", "--disable-libuuid", "--disable-upnp",
    "--disable-sound", "--disable-video", "--disable-speex-codec", "--disable-speex-aec", "--disable-gsm-codec",
    "--disable-ilbc-codec", "--disable-g7221-codec", "--disable-opencore-amr", "--disable-silk", "--disable-bcg729",
    "--disable-libwebrtc", "--disable-libwebrtc-aec3", "--disable-libyuv", "--disable-sdl", "--disable-ffmpeg",
    "--disable-v4l2",
)  # fmt: skip
"""Speex resamples in place of libsamplerate, which made wideband calls an order of magnitude dearer."""
FLAGS: Final = {"CFLAGS": "-fPIC -O2 -DNDEBUG", "CXXFLAGS": "-fPIC -O2 -DNDEBUG", "LIBS": "-lspeexdsp"}
MODULE: Final = "_pjsua2" + (sysconfig.get_config_var("EXT_SUFFIX") or ".so")


class BuildFailed(RuntimeError):
    """A step of the build ended with an error."""


def packages() -> tuple[str, ...]:
    """The Debian packages that the build needs; the headers of Python only where they are not there already."""
    headers = Path(sysconfig.get_path("include")) / "Python.h"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return PACKAGES if headers.exists() else (*PACKAGES, f"libpython{version}-dev")


def build(archive: Path, workshop: Path, target: Path) -> None:
    """Build ``pjsua2.py`` and its module into ``target``, working in the empty folder ``workshop``.

    Raises:
        BuildFailed: a step failed; its output went to this process's own.
    """
    _run(["tar", "--extract", "--file", str(archive), "--strip-components", "1"], workshop)
    _run(["patch", "--strip", "1", "--fuzz", "0", "--input", str(HERE / "pjproject.patch")], workshop)
    shutil.copy(HERE / "config_site.h", workshop / "pjlib" / "include" / "pj" / "config_site.h")
    _run(["./configure", *CONFIGURE], workshop)
    _run(["make", "dep"], workshop)
    _run(["make", f"-j{os.cpu_count() or 2}", "lib"], workshop)
    binding = workshop / "pjsip-apps" / "src" / "swig" / "python"
    _run(["make", "pjsua2_wrap.cpp"], binding)
    target.mkdir(parents=True)
    _link(binding, target / MODULE)
    shutil.copy(binding / "pjsua2.py", target / "pjsua2.py")


def _link(binding: Path, module: Path) -> None:
    """Compile the generated wrapper; it only hands calls on, so little is optimised and the build stays short."""
    libraries = [f"-l{name}" for name in _ask(binding, "libs")]
    _run(
        [
            "g++", "-shared", *_ask(binding, "cflags"), "-O1", "-g0", f"-I{sysconfig.get_path('include')}",
            "pjsua2_wrap.cpp", "-o", str(module), *_ask(binding, "ldflags"), *libraries,
        ],
        binding,
    )  # fmt: skip
    _run(["strip", "--strip-unneeded", str(module)], binding)


def _ask(binding: Path, target: str) -> list[str]:
    """What pjproject's own makefile says its users must hand to the compiler."""
    command = ["make", "--no-print-directory", "-f", "helper.mak", target]
    done = subprocess.run(command, cwd=binding, env=_environment(), capture_output=True, text=True, check=False)  # noqa: S603  # fixed commands
    if done.returncode != 0:
        raise BuildFailed(f"{' '.join(command)} failed: {done.stderr[-500:]}")
    return done.stdout.split()


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, check=False)  # noqa: S603  # fixed commands
    if done.returncode != 0:
        raise BuildFailed(f"{' '.join(command[:3])} failed with {done.returncode}")


def _environment() -> Mapping[str, str]:
    """Nothing of the caller's compiler settings: the same result for everybody."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, **FLAGS, "LC_ALL": "C.UTF-8"}
