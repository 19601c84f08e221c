"""What an installation may set, read once from the environment.

Every name is listed in ``Settings``; an unknown ``CENTRALA_…`` name, a missing value or two values that contradict
each other raise ``SettingsError``, which says which names are at fault.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

PREFIX: Final = "CENTRALA_"

NOT_SETTINGS: Final = frozenset({"CENTRALA_VENV", "CENTRALA_VAR"})
"""Names with our prefix that the start script and the local commands read by themselves."""

QUEUE_SCHEMES: Final = frozenset({"redis", "rediss"})
DRIVER: Final = "postgresql+psycopg"
HOST_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
WEB_ADDRESS: Final = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?")
RTP_PORTS: Final = 2000
"""Of each worker: two for a leg's sound, with room for legs that just ended."""
MOST_WORKERS: Final = 16
OUTGOING_SCHEMES: Final = frozenset({"smtp", "smtps", "smtp+starttls"})


class SettingsError(ValueError):
    """The environment cannot be used; the message names the variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The installation's settings.

    Attributes:
        database_url: SQLAlchemy URL of the application's role (no DDL, no BYPASSRLS).
        owner_database_url: URL of the schema's owner; only migrations use it.
        relay_database_url: URL of the role that may see due work of every tenant, and nothing else.
        redis_url: Valkey or Redis with the job queue; may be lost at any moment.
        secret_key: at least 32 characters; signs sessions, mail tokens and Message-IDs.
        base_domain: tenants live on ``<tenant>.<base_domain>``.
        web_port: the staff web app's TCP port on loopback.
        smtp_port: the inbound mail server's TCP port on loopback.
        dav_port: the CardDAV server's TCP port on loopback.
        dav_url: where phones reach it, as ``https://dav.company.com``; empty is ``http://localhost:<dav_port>``.
        postgres_port: the embedded PostgreSQL's port; 0 lets one be chosen.
        valkey_port: the embedded Valkey's port; 0 lets one be chosen.
        blob_url: fsspec URL of the folder with encrypted files.
        key_store_url: fsspec URL of the folder with their keys; must lie elsewhere.
        outgoing_smtp_url: where mail leaves, as ``smtp://user:password@host:port``; empty keeps it in the outbox page.
        secure_cookies: whether browsers reach the installation over TLS only.
        private_destinations: whether its own requests (web push) may go to addresses that are not public, and by plain
            HTTP; for development alone.
        kamailio_database_url: URL of the telephone edge's role; empty leaves telephony out.
        sip_host: the address on which phones and trunks reach the edge.
        sip_port: the edge's UDP and TCP port.
        sips_port: its TLS port.
        sip_ws_port: its WebSocket port, for phones in a browser.
        sip_edge_port: the TCP port of loopback on which the edge hears its workers and nobody else.
        sip_requests_per_second: what one address may ask of the edge before it is not heard for a while.
        sip_certificate: path of the TLS certificate (PEM, with its chain); empty makes one.
        sip_certificate_key: path of its key.
        gateway_port: worker n answers SIP on loopback, port ``gateway_port + n``.
        gateway_workers: how many workers carry calls.
        wideband_calls: whether calls carry speech up to 7 kHz (G.722, Opus) instead of 3.4 kHz; a call then costs more.
        recordings_folder: where calls are recorded until they are encoded and encrypted, a folder that workers of calls
            and of jobs share; empty records none.
        rtp_port: worker n uses the 2,000 UDP ports from ``rtp_port + 2000 n`` for sound.
    """

    database_url: str
    owner_database_url: str
    relay_database_url: str
    redis_url: str
    secret_key: str
    blob_url: str
    key_store_url: str
    base_domain: str = "localhost"
    web_port: int = 8080
    smtp_port: int = 2525
    dav_port: int = 8090
    dav_url: str = ""
    postgres_port: int = 0
    valkey_port: int = 0
    outgoing_smtp_url: str = ""
    secure_cookies: bool = False
    private_destinations: bool = False
    kamailio_database_url: str = ""
    sip_host: str = "127.0.0.1"
    sip_port: int = 5060
    sips_port: int = 5061
    sip_ws_port: int = 5066
    sip_edge_port: int = 5070
    sip_requests_per_second: int = 100
    sip_certificate: str = ""
    sip_certificate_key: str = ""
    gateway_port: int = 5080
    gateway_workers: int = 1
    wideband_calls: bool = False
    recordings_folder: str = ""
    rtp_port: int = 20000


UNPREFIXED: Final = {"database_url": "DATABASE_URL", "redis_url": "REDIS_URL"}


def variable_of(field_name: str) -> str:
    """The environment variable that holds the setting ``field_name``."""
    return UNPREFIXED.get(field_name, PREFIX + field_name.upper())


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from ``environ``.

    Raises:
        SettingsError: names are unknown, missing, not of their type, or contradict each other.
    """
    known = {variable_of(field.name): field for field in fields(Settings)}
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known.keys() | NOT_SETTINGS)
    if unknown:
        raise SettingsError(f"unknown settings: {', '.join(unknown)}")
    values: dict[str, object] = {}
    for variable, field in known.items():
        if variable in environ:
            values[field.name] = _typed(variable, environ[variable], field.type)
    missing = sorted(
        variable for variable, field in known.items() if field.default is MISSING and field.name not in values
    )
    if missing:
        raise SettingsError(f"missing settings: {', '.join(missing)}")
    found = Settings(**values)  # type: ignore[arg-type]  # each value was converted to its field's type above
    _refuse_contradictions(found)
    return found


@cache
def settings() -> Settings:
    """The settings of this process."""
    return load_settings(os.environ)


def _typed(variable: str, value: str, kind: object) -> object:
    if kind is int:
        if not value.isdigit() or int(value) > 65535:
            what = "port number" if variable.endswith("_PORT") else "number"
            raise SettingsError(f"{variable} must be a {what}, not {value!r}")
        return int(value)
    if kind is bool:
        if value not in {"0", "1"}:
            raise SettingsError(f"{variable} must be 0 or 1, not {value!r}")
        return value == "1"
    return _with_driver(variable, value) if value and variable.endswith("DATABASE_URL") else value


def _with_driver(variable: str, url: str) -> str:
    """The URL for SQLAlchemy, from the plain form that everybody else writes too."""
    scheme, _colon, rest = url.partition("://")
    if scheme not in {"postgres", "postgresql", DRIVER} or not rest:
        raise SettingsError(f"{variable} must start with postgresql://")
    return f"{DRIVER}://{rest}"


def _refuse_contradictions(found: Settings) -> None:
    """Say which settings cannot be right; never their values, which hold passwords."""
    for is_wrong, problem in _contradictions(found):
        if is_wrong:
            raise SettingsError(problem)


def _contradictions(found: Settings) -> Iterator[tuple[bool, str]]:
    yield from _contradictions_of_telephony(found)
    yield len(found.secret_key) < 32, "CENTRALA_SECRET_KEY must have at least 32 characters"
    yield (
        found.blob_url.rstrip("/") == found.key_store_url.rstrip("/"),
        "CENTRALA_BLOB_URL and CENTRALA_KEY_STORE_URL must be different places",
    )
    for variable, url in (("CENTRALA_BLOB_URL", found.blob_url), ("CENTRALA_KEY_STORE_URL", found.key_store_url)):
        yield "://" not in url, f"{variable} must be a URL such as file:///srv/centrala"
    database_urls = (found.database_url, found.owner_database_url, found.relay_database_url)
    yield (
        len({urlsplit(url).username for url in database_urls}) < len(database_urls),
        "DATABASE_URL, CENTRALA_OWNER_DATABASE_URL and CENTRALA_RELAY_DATABASE_URL must use different database roles",
    )
    yield urlsplit(found.redis_url).scheme not in QUEUE_SCHEMES, "REDIS_URL must start with redis:// or rediss://"
    yield not found.web_port, "CENTRALA_WEB_PORT must not be 0"
    yield not found.smtp_port, "CENTRALA_SMTP_PORT must not be 0"
    yield found.web_port == found.smtp_port, "CENTRALA_WEB_PORT and CENTRALA_SMTP_PORT must differ"
    yield not found.dav_port, "CENTRALA_DAV_PORT must not be 0"
    yield (
        found.dav_port in {found.web_port, found.smtp_port},
        "CENTRALA_DAV_PORT must differ from CENTRALA_WEB_PORT and CENTRALA_SMTP_PORT",
    )
    yield (
        bool(found.dav_url) and WEB_ADDRESS.fullmatch(found.dav_url) is None,
        "CENTRALA_DAV_URL must be https://host or http://host:port, without a path",
    )
    yield (
        HOST_NAME.fullmatch(found.base_domain) is None,
        f"CENTRALA_BASE_DOMAIN must be a host name in lower case, not {found.base_domain!r}",
    )
    outgoing = urlsplit(found.outgoing_smtp_url)
    yield (
        bool(found.outgoing_smtp_url) and (outgoing.scheme not in OUTGOING_SCHEMES or not outgoing.hostname),
        "CENTRALA_OUTGOING_SMTP_URL must be smtp://host:port, smtps://host:port or smtp+starttls://host:port",
    )


def _contradictions_of_telephony(found: Settings) -> Iterator[tuple[bool, str]]:
    others = {
        urlsplit(url).username for url in (found.database_url, found.owner_database_url, found.relay_database_url)
    }
    yield (
        bool(found.kamailio_database_url) and urlsplit(found.kamailio_database_url).username in others,
        "CENTRALA_KAMAILIO_DATABASE_URL must use a database role of its own",
    )
    ports = [(name, port) for name, port in _telephone_ports(found) if port]
    clashes = [name for name, port in ports if sum(port == other for _name, other in ports) > 1]
    yield bool(clashes), f"{', '.join(clashes)} must differ"
    zero = [name for name, port in _telephone_ports(found) if not port]
    yield bool(zero), f"{', '.join(zero)} must not be 0"
    yield not 1 <= found.gateway_workers <= MOST_WORKERS, f"CENTRALA_GATEWAY_WORKERS must be 1 to {MOST_WORKERS}"
    yield (
        found.rtp_port < 1024 or found.rtp_port + RTP_PORTS * found.gateway_workers > 65536,
        f"CENTRALA_RTP_PORT leaves no room: each worker needs {RTP_PORTS} ports above it",
    )
    yield not found.sip_requests_per_second, "CENTRALA_SIP_REQUESTS_PER_SECOND must not be 0"
    yield (
        not _is_address(found.sip_host),
        f"CENTRALA_SIP_HOST must be one of this machine's IP addresses, not {found.sip_host!r}",
    )
    yield (
        bool(found.sip_certificate) != bool(found.sip_certificate_key),
        "CENTRALA_SIP_CERTIFICATE and CENTRALA_SIP_CERTIFICATE_KEY go together",
    )


def _telephone_ports(found: Settings) -> Iterator[tuple[str, int]]:
    for name in ("sip_port", "sips_port", "sip_ws_port", "sip_edge_port"):
        yield variable_of(name), getattr(found, name)
    for number in range(found.gateway_workers):
        yield "CENTRALA_GATEWAY_PORT", found.gateway_port + number if found.gateway_port else 0


def _is_address(text: str) -> bool:
    try:
        return not ip_address(text).is_unspecified
    except ValueError:
        return False
