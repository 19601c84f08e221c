"""``check`` and ``test``: what must be green before a change lands."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from deploy.local import steps
from deploy.local.kamailio import PACKAGES
from deploy.local.node import environment_with_node, npm
from deploy.local.packages import PackagesMissing, install
from deploy.local.places import ROOT, VAR
from deploy.local.telephony import BUILD_LOG, PACKAGES_LOG
from deploy.telephony.cache import Kind, finished
from deploy.telephony.recipe import packages as build_packages

BIN: Final = Path(sys.executable).parent
CLIENTS: Final = ("sip-tester", "baresip", "thunderbird")
CHECKS: Final = (
    ("types", [str(BIN / "mypy")]),
    ("format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
    ("lint", [str(BIN / "ruff"), "check", "--quiet", "."]),
    ("imports", [str(BIN / "lint-imports")]),
)


def check() -> int:
    """Format, lint, types, import contracts; two at a time. Answers 1 if any found something."""
    steps.build_frontend()
    with ThreadPoolExecutor(2) as pool:
        checks = [(name, command, ROOT) for name, command in CHECKS]
        checks.append(("front end", npm("run", "--silent", "check"), steps.FRONTEND))
        results = list(pool.map(lambda check: _run_check(*check), checks))
    return 0 if all(results) else 1


def test(arguments: list[str]) -> int:
    """Run pytest with ``arguments``; its exit code is ours."""
    steps.build_frontend()
    steps.compile_catalogues()
    _prepare_clients()
    workers = [] if any(argument.startswith("-n") for argument in arguments) else ["-n", str(os.cpu_count() or 2)]
    command = [str(BIN / "python"), "-m", "pytest", *workers, "--dist", "loadgroup", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603  # our own interpreter


def screenshots(names: list[str]) -> int:
    """Take pictures of the main pages, or of those named, in all languages, themes and widths, below ``var/``."""
    steps.build_frontend()
    steps.compile_catalogues()
    command = [str(BIN / "python"), "-m", "tests.screenshots", str(VAR / "screenshots"), *names]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603  # our own interpreter


def _prepare_clients() -> None:
    """Kamailio, pjsua2 and independent clients; without the right to install, their tests are skipped and say so."""
    try:
        install((*PACKAGES, *CLIENTS, *build_packages()), log=PACKAGES_LOG)
    except PackagesMissing as problem:
        sys.stdout.write(f"  some tests are skipped: {problem}\n")
    if not finished(Kind.BUILT):
        with steps.step("pjsua2, some minutes once on a machine"), BUILD_LOG.open("wb") as log:
            subprocess.run([sys.executable, "-m", "deploy.telephony"], cwd=ROOT, stdout=log, stderr=log, check=False)


def put_into_form() -> int:
    """Format the sources and mend what can be mended safely."""
    for arguments in (["check", "--fix", "--quiet", "."], ["format", "--quiet", "."]):
        subprocess.run([str(BIN / "ruff"), *arguments], cwd=ROOT, check=False)  # noqa: S603  # fixed commands
    return 0


def _run_check(name: str, command: list[str], folder: Path) -> bool:
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603  # fixed commands
        command, cwd=folder, env=environment_with_node(), capture_output=True, text=True, check=False
    )
    verdict = "fine" if done.returncode == 0 else "FAILED"
    sys.stdout.write(f"{name:<10} {verdict}   {time.monotonic() - began:.1f} s\n")
    if done.returncode != 0:
        sys.stdout.write(done.stdout + done.stderr)
    sys.stdout.flush()
    return done.returncode == 0
