"""Where things of this checkout lie, and how its processes find each other.

Everything lies below ``var/`` (or the folder that ``CENTRALA_VAR`` names), but for PostgreSQL's data when the server's
account cannot enter it (a home of mode 0700): then that lies below ``/var/lib``, under a name derived from the folder,
and ``up`` says so.
"""

import hashlib
import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.foundation.settings import Settings, SettingsError, load_settings
from deploy.local.accounts import is_reachable, server_account
from deploy.local.kamailio import Kamailio
from deploy.local.postgres import Postgres
from deploy.local.valkey import Valkey

ROOT: Final = Path(__file__).resolve().parents[2]
VAR: Final = Path(os.environ.get("CENTRALA_VAR") or ROOT / "var").resolve()
PORTS: Final = VAR / "run" / "ports.json"
DATABASE_VARIABLES: Final = ("DATABASE_URL", "CENTRALA_OWNER_DATABASE_URL", "CENTRALA_RELAY_DATABASE_URL")


@dataclass(frozen=True)
class Installation:
    """This checkout's installation: its servers (None where the environment names others) and its settings."""

    postgres: Postgres | None
    valkey: Valkey | None
    kamailio: Kamailio | None
    settings: Settings
    environment: Mapping[str, str]

    @property
    def address(self) -> str:
        """Where the demo tenant's people sign in."""
        return f"http://demo.{self.settings.base_domain}:{self.settings.web_port}"


def installation(environ: Mapping[str, str]) -> Installation:
    """Find out how this checkout runs. Raises ``SettingsError`` for an environment that cannot be used."""
    postgres = None if _external_database(environ) else Postgres(postgres_folder(), _port("POSTGRES", environ))
    valkey = None if _external_queue(environ) else Valkey(VAR / "valkey", _port("VALKEY", environ))
    environment = {**_defaults(), **_own(environ)}
    if postgres:
        roles = ("centrala_app", "centrala_owner", "centrala_relay")
        environment |= {variable: postgres.url(role) for variable, role in zip(DATABASE_VARIABLES, roles, strict=True)}
        environment["CENTRALA_KAMAILIO_DATABASE_URL"] = postgres.url("centrala_kamailio")
    if valkey:
        environment["REDIS_URL"] = valkey.url()
    settings = load_settings(environment)
    kamailio = Kamailio(kamailio_folder(), settings) if settings.kamailio_database_url else None
    return Installation(postgres, valkey, kamailio, settings, environment)


def postgres_folder() -> Path:
    """The folder for PostgreSQL's data: below ``var/`` if its account can get there."""
    return VAR / "postgres" if _is_open() else _outside()


def kamailio_folder() -> Path:
    """The folder for Kamailio's configuration, below ``var/`` if its account can get there."""
    return VAR / "kamailio" if _is_open() else _outside().with_name(f"{_outside().name}-kamailio")


def _is_open() -> bool:
    """Whether the servers' accounts can enter ``var/``."""
    VAR.mkdir(parents=True, exist_ok=True)
    return server_account() is None or is_reachable(VAR)


def _outside() -> Path:
    return Path("/var/lib") / f"centrala-{hashlib.sha256(str(VAR).encode()).hexdigest()[:12]}"


def _external_database(environ: Mapping[str, str]) -> bool:
    given = [name for name in DATABASE_VARIABLES if environ.get(name)]
    missing = [name for name in DATABASE_VARIABLES if not environ.get(name)]
    if given and missing:
        raise SettingsError(f"{', '.join(given)} needs {', '.join(missing)} as well: one URL for each database role")
    if given and environ.get("CENTRALA_POSTGRES_PORT"):
        raise SettingsError("CENTRALA_POSTGRES_PORT is for the embedded server, but DATABASE_URL names another")
    return bool(given)


def _external_queue(environ: Mapping[str, str]) -> bool:
    if environ.get("REDIS_URL") and environ.get("CENTRALA_VALKEY_PORT"):
        raise SettingsError("CENTRALA_VALKEY_PORT is for the embedded server, but REDIS_URL names another")
    return bool(environ.get("REDIS_URL"))


def _own(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name.startswith("CENTRALA_") or name in {"DATABASE_URL", "REDIS_URL"}
    }


def _defaults() -> dict[str, str]:
    return {
        "CENTRALA_BLOB_URL": (VAR / "blobs").as_uri(),
        "CENTRALA_KEY_STORE_URL": (VAR / "keys").as_uri(),
        "CENTRALA_RECORDINGS_FOLDER": str(VAR / "recordings"),
        "CENTRALA_SECRET_KEY": _secret_key(),
    }


def _secret_key() -> str:
    path = VAR / "secrets" / "secret_key"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


def _port(server: str, environ: Mapping[str, str]) -> int:
    """The port that the environment names, else one that was free at the first start and is remembered."""
    if named := environ.get(f"CENTRALA_{server}_PORT"):
        if not named.isdigit():
            raise SettingsError(f"CENTRALA_{server}_PORT must be a port number, not {named!r}")
        if int(named):
            return int(named)
    ports = _remembered_ports()
    if server not in ports:
        ports[server] = free_port()
        PORTS.parent.mkdir(parents=True, exist_ok=True)
        PORTS.write_text(json.dumps(ports))
    return ports[server]


def forget_taken_ports() -> None:
    """Let other ports be chosen for the embedded servers where somebody took one while we did not run."""
    ports = _remembered_ports()
    if free := {server: port for server, port in ports.items() if not is_taken(port)}:
        PORTS.write_text(json.dumps(free))
    else:
        PORTS.unlink(missing_ok=True)


def _remembered_ports() -> dict[str, int]:
    try:
        ports: dict[str, int] = json.loads(PORTS.read_text())
    except (FileNotFoundError, ValueError):  # ValueError: the machine stopped while it was written
        return {}
    return ports


def free_port() -> int:
    """A TCP port of loopback that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Whether somebody listens on ``port`` of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def process_environment(found: Installation) -> dict[str, str]:
    """What our processes see: the settings, and what every program needs."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**inherited, **found.environment, "PYTHONUNBUFFERED": "1", "PROMETHEUS_MULTIPROC_DIR": str(VAR / "metrics")}
