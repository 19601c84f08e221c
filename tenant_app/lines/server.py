"""Where a phone signs in: the company's SIP domain, and the address at which the edge hears it."""

from dataclasses import dataclass
from ipaddress import ip_address

from flask import request

from core.foundation.settings import settings
from tenant_app.hosts import current_tenant


@dataclass(frozen=True, slots=True)
class SipServer:
    """``domain`` is the part after the @; ``host`` the outbound proxy with a port for each transport."""

    domain: str
    realm: str
    host: str
    port: int
    tls_port: int

    @property
    def proxy(self) -> str:
        """The outbound proxy over UDP or TCP."""
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def tls_proxy(self) -> str:
        """The outbound proxy over TLS."""
        return f"{_bracketed(self.host)}:{self.tls_port}"

    @property
    def is_only_here(self) -> bool:
        """Whether no other machine reaches it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def sip_server() -> SipServer:
    """The server of this installation, for the company of this request.

    An edge that listens on every address is reached by the name that the browser came by.
    """
    known = settings()
    domain = request.host.partition(":")[0].lower()
    return SipServer(
        domain=domain,
        realm=current_tenant().realm,
        host=domain if _is_any(known.sip_host) else known.sip_host,
        port=known.sip_port,
        tls_port=known.sips_port,
    )


def _is_any(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
