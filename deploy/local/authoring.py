"""Commands for those who change the product: translations, migrations, lock files."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy.local.places import ROOT, installation, process_environment
from deploy.local.steps import CATALOGUES, StepFailed

BIN: Final = Path(sys.executable).parent
LOCALES: Final = ("cs", "pl")
TEMPLATE: Final = CATALOGUES / "messages.pot"
LOCKS: Final = {"requirements.lock": (), "requirements-test.lock": ("--extra", "test")}


def translate() -> int:
    """Collect the strings of all sources and merge them into the catalogues; prints what still has no words."""
    CATALOGUES.mkdir(exist_ok=True)
    _run(
        "pybabel", "extract", "--mapping", str(ROOT / "deploy" / "local" / "babel.cfg"), "--keyword", "lazy_gettext",
        "--no-location", "--sort-output", "--project", "Centrala", "--output-file", str(TEMPLATE), ".",
    )  # fmt: skip
    for locale in LOCALES:
        target = CATALOGUES / locale / "LC_MESSAGES" / "messages.po"
        verb = "update" if target.exists() else "init"
        extra = ["--no-fuzzy-matching", "--ignore-obsolete", "--width", "110"] if verb == "update" else []
        _run("pybabel", verb, "-i", str(TEMPLATE), "-d", str(CATALOGUES), "-l", locale, *extra)
    TEMPLATE.unlink()
    return 0


def draft_migration(what: str) -> int:
    """Write a migration from the difference between the models and the running installation's schema."""
    if not what:
        raise StepFailed('say what the migration does: ./centrala migration "contact birthday"')
    config = str(ROOT / "migrations" / "alembic.ini")
    number = f"{len(list((ROOT / 'migrations' / 'versions').glob('[0-9]*.py'))) + 1:04}"
    environment = process_environment(installation(os.environ))
    _run("alembic", "-c", config, "revision", "--autogenerate", "--rev-id", number, "-m", what, environment=environment)
    return 0


def lock() -> int:
    """Resolve the newest allowed versions and write them down with their hashes."""
    for name, extra in LOCKS.items():
        _run(
            "uv", "pip", "compile", "pyproject.toml", *extra, "--universal", "--python-version", "3.11", "--upgrade",
            "--generate-hashes", "--no-annotate", "--no-header", "--quiet", "--output-file", name,
        )  # fmt: skip
    return 0


def _run(program: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run([str(BIN / program), *arguments], cwd=ROOT, env=environment, check=False)  # noqa: S603  # our tools
    if done.returncode != 0:
        raise StepFailed(f"{program} failed")
