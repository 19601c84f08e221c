"""Under which account servers run: PostgreSQL refuses root, and other accounts cannot enter a closed home."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

CANDIDATES: Final = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int

    def process_options(self) -> dict[str, Any]:
        """What ``subprocess`` needs to run a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_account() -> Account | None:
    """The account for PostgreSQL; None when we are not root and it simply runs as we do."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, found.pw_uid, found.pw_gid)
    raise RuntimeError(f"PostgreSQL refuses root, and none of the accounts {', '.join(CANDIDATES)} exists")


def is_reachable(path: Path) -> bool:
    """Whether every account may enter ``path`` (existing) and all folders above it."""
    resolved = path.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in (resolved, *resolved.parents))
