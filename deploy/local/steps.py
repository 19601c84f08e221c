"""The steps of ``up``: each says what it does and how long it took, and does nothing when it is done already."""

import contextlib
import hashlib
import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final

import psycopg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from deploy.local.node import environment_with_node, npm
from deploy.local.places import ROOT, VAR, Installation, process_environment
from deploy.local.postgres import DATABASE

FRONTEND: Final = ROOT / "tenant_app" / "frontend"
DIST: Final = ROOT / "tenant_app" / "static" / "dist"
CATALOGUES: Final = ROOT / "core" / "foundation" / "locales"
VERSIONS: Final = ROOT / "migrations" / "versions"
UNFINISHED: Final = VAR / "run" / "demo-unfinished"


class StepFailed(RuntimeError):
    """A step could not be done; the message says what to do."""


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Print ``what`` and, at the end, the seconds it took."""
    began = time.monotonic()
    sys.stdout.write(f"  {what} …\n")
    sys.stdout.flush()
    yield
    sys.stdout.write(f"  {what}: {time.monotonic() - began:.1f} s\n")
    sys.stdout.flush()


def build_frontend() -> None:
    """Bundle the front end, unless the bundle was made from these sources."""
    stamp, wanted = DIST / ".built-from", _hash_of_frontend()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    with step("front end"):
        environment = environment_with_node()
        for command in (npm("ci", "--no-audit", "--no-fund"), npm("run", "build")):
            done = subprocess.run(command, cwd=FRONTEND, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # fixed commands
            if done.returncode != 0:
                raise StepFailed(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        stamp.write_text(wanted)


def compile_catalogues() -> None:
    """Compile the translations that changed."""
    for source in CATALOGUES.glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as catalogue, target.open("wb") as compiled:
            write_mo(compiled, read_po(catalogue))


def migrate(found: Installation) -> None:
    """Bring the schema up to date; asks the database first, since that is much faster than Alembic."""
    if _revision(found) == max(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py")):
        return
    with step("database schema"):
        _run_module(found, "alembic", "-c", str(ROOT / "migrations" / "alembic.ini"), "upgrade", "head")


def load_demo(found: Installation) -> bool:
    """Load the demo companies into an empty installation; answers whether it was empty."""
    with psycopg.connect(_plain(found.settings.owner_database_url)) as connection:
        if connection.execute("select from tenant limit 1").fetchone() is not None:
            return False
    UNFINISHED.touch()
    with step("demo companies"):
        _run_module(found, "deploy.local.demo")
    UNFINISHED.unlink()
    return True


def drop_half_a_demo(found: Installation) -> None:
    """Drop the embedded database if loading the demo companies was broken off: nothing else is in it yet."""
    if found.postgres and UNFINISHED.exists():
        found.postgres.drop_database(DATABASE)
        UNFINISHED.unlink()


def wait_for_web(found: Installation, *, deadline_s: float = 60.0) -> None:
    """Return when the sign-in page answers; raises ``StepFailed`` after ``deadline_s``."""
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", found.settings.web_port, timeout=5)
            connection.request("GET", "/sign-in", headers={"Host": f"demo.{found.settings.base_domain}"})
            if connection.getresponse().status == 200:
                return
        time.sleep(0.1)
    raise StepFailed(f"the web app does not answer; {VAR / 'log' / 'centrala.log'} says why")


def _run_module(found: Installation, module: str, *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603  # our own modules
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=process_environment(found),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StepFailed(f"{module} failed:\n{done.stderr[-3000:]}")


def _revision(found: Installation) -> str | None:
    with psycopg.connect(_plain(found.settings.owner_database_url)) as connection:
        if connection.execute("select to_regclass('alembic_version')").fetchone() == (None,):
            return None
        row = connection.execute("select version_num from alembic_version").fetchone()
        return str(row[0]) if row else None


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def _hash_of_frontend() -> str:
    digest = hashlib.sha256()
    for path in sorted(FRONTEND.rglob("*")):
        if path.is_file() and "node_modules" not in path.parts:
            digest.update(str(path.relative_to(FRONTEND)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
