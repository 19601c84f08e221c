"""Where phones and programs find the address books."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from core.foundation.settings import settings

PORTS: Final = {"http": 80, "https": 443}
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DavServer:
    """The public address of the CardDAV server; ``base_path`` has no slash at its end."""

    url: str
    host: str
    port: int
    uses_tls: bool
    base_path: str

    @property
    def is_only_here(self) -> bool:
        """Whether only programs on this very machine reach it."""
        return self.host in LOOPBACK or self.host.endswith(".localhost")

    @property
    def entrance(self) -> str:
        """Where discovery begins (RFC 6764)."""
        return f"{self.url}/dav/"

    def principal_path(self, username: str) -> str:
        """The path of a client's own root."""
        return f"{self.base_path}/dav/{username}/"

    def app_link(self, username: str, password: str) -> str:
        """A link that opens DAVx5, or without TLS another such app, with everything filled in (DAVx5 manual, 7.1.2)."""
        scheme = "davx5" if self.uses_tls else "carddav"
        authority = self.url.partition("://")[2]
        return f"{scheme}://{quote(username, safe='')}:{quote(password, safe='')}@{authority}/dav/"


def dav_server() -> DavServer:
    """The server as the settings name it."""
    url = settings().dav_url.rstrip("/") or f"http://localhost:{settings().dav_port}"
    parts = urlsplit(url)
    return DavServer(
        url=url,
        host=parts.hostname or "",
        port=parts.port or PORTS[parts.scheme],
        uses_tls=parts.scheme == "https",
        base_path=parts.path,
    )
