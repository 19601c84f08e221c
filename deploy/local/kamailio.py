"""The telephone edge of this checkout: Kamailio's folder, certificate, configuration and command line."""

import json
import os
import pwd
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.foundation.settings import Settings
from deploy.local.accounts import Account

PACKAGES: Final = (
    "kamailio", "kamailio-postgres-modules", "kamailio-tls-modules", "kamailio-websocket-modules",
)  # fmt: skip
ACCOUNT: Final = "kamailio"
TEMPLATE: Final = Path(__file__).resolve().parents[1] / "kamailio" / "kamailio.cfg"
BINARY_FOLDERS: Final = "/usr/sbin:/usr/local/sbin"
CHILDREN: Final = 4
FAILURES: Final = 8
"""Wrong passwords of one user from one address in ten minutes; then that pair is refused."""
GUESSES: Final = 20
"""Wrong passwords from one address in ten minutes; then silence, unless somebody signed in from there lately."""
ATTACKS: Final = 50
"""Wrong passwords of one user from everywhere in ten minutes; then only known addresses may try."""
TLS: Final = """[server:default]
method = TLSv1.2+
verify_certificate = no
certificate = @FOLDER@/certificate.pem
private_key = @FOLDER@/key.pem

[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
ca_path = /etc/ssl/certs
"""
PLAIN_IN_HEX: Final = "^(2[de]|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9a])+$"
"""Letters, digits, hyphen, dot and underscore."""
CERTIFICATE_LIFE: Final = timedelta(days=3650)
ANSWER_S: Final = 2.0
DATAGRAM: Final = (socket.AF_UNIX, socket.SOCK_DGRAM)


@dataclass(frozen=True)
class Kamailio:
    """One edge: the folder that its account may read, and the settings it follows."""

    folder: Path
    settings: Settings

    @property
    def configuration(self) -> str:
        """The path of its configuration, by which its processes are known."""
        return str(self.folder / "kamailio.cfg")

    def prepare(self) -> None:
        """Write everything that Kamailio reads; needs no running server."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _make_certificate(self.folder, self.settings)
        self._write("kamailio.cfg", self._configuration())
        self._write("tls.cfg", TLS.replace("@FOLDER@", str(self.folder)))
        self._write("dispatcher.list", "".join(f"{line}\n" for line in self._workers()))
        if account := edge_account():
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, account.uid, account.gid)

    def command(self) -> list[str]:
        """The command line of the guard that runs it; Kamailio has an account of its own where we are root."""
        configuration = self.configuration
        account = edge_account()
        identity = ["--reuid", str(account.uid), "--regid", str(account.gid), "--clear-groups"] if account else []
        environment = [f"{name}={value}" for name, value in environment_of_kamailio().items()]
        # A change of account makes the kernel forget whose death to tell of, so that comes last.
        return [
            sys.executable, "-m", "deploy.local.edge_guard", configuration,
            *(["setpriv", *identity, "--"] if identity else []), "setpriv", "--pdeathsig", "TERM", "--",
            "env", "-i", *environment, binary() or "kamailio", "-DD", "-E", "-f", configuration,
            "-w", str(self.folder), "-Y", ".", "-m", "64", "-M", "8",
        ]  # fmt: skip

    @property
    def answers(self) -> bool:
        """Whether it runs and answers."""
        try:
            return bool(self.ask("core.uptime"))
        except OSError:
            return False

    def ask(self, method: str, *parameters: str) -> Any:
        """What the running server answers over its control socket. Raises ``OSError`` when it does not."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        folder = os.open(self.folder, os.O_PATH | os.O_DIRECTORY)
        try:
            # Names short enough for the kernel (108 bytes), however deep the checkout lies.
            with tempfile.TemporaryDirectory(prefix="centrala-") as own, socket.socket(*DATAGRAM) as client:
                Path(own).chmod(0o711)
                client.settimeout(ANSWER_S)
                client.bind(f"{own}/answer")
                Path(own, "answer").chmod(0o622)
                client.sendto(json.dumps(request).encode(), f"/proc/self/fd/{folder}/rpc.sock")
                answer = json.loads(client.recv(1 << 20))
        finally:
            os.close(folder)
        if "error" in answer:
            raise OSError(str(answer["error"]))
        return answer["result"]

    def _workers(self) -> Iterator[str]:
        for number in range(self.settings.gateway_workers):
            port = self.settings.gateway_port + number
            yield f"1 sip:127.0.0.1:{port};transport=tcp 0 0 socket=tcp:127.0.0.1:{self.settings.sip_edge_port}"

    def _configuration(self) -> str:
        text = TEMPLATE.read_text()
        for name, value in self._values().items():
            text = text.replace(f"@{name}@", value)
        return text

    def _values(self) -> Mapping[str, str]:
        host = ip_address(self.settings.sip_host)
        return {
            "HOST": f"[{host}]" if host.version == 6 else str(host),
            "SIP_PORT": str(self.settings.sip_port),
            "SIPS_PORT": str(self.settings.sips_port),
            "WS_PORT": str(self.settings.sip_ws_port),
            "EDGE_PORT": str(self.settings.sip_edge_port),
            "REQUESTS_PER_2_S": str(2 * self.settings.sip_requests_per_second),
            "DATABASE_URL": self.settings.kamailio_database_url.replace("postgresql+psycopg://", "postgres://"),
            "FOLDER": str(self.folder),
            "MODULES": str(modules_folder() or ""),
            "NONCE_SECRET": secrets.token_hex(32),
            "PLAIN": PLAIN_IN_HEX,
            "NO_HA1": secrets.token_hex(16),
            "CHILDREN": str(CHILDREN),
            "FAILURES": str(FAILURES),
            "GUESSES": str(GUESSES),
            "ATTACKS": str(ATTACKS),
        }

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)


def binary() -> str | None:
    """Kamailio's program; None where it is not installed."""
    return shutil.which("kamailio", path=f"{BINARY_FOLDERS}:{os.environ.get('PATH', '')}")


def modules_folder() -> Path | None:
    """Where its modules lie, which depends on the kind of machine."""
    return next((path.parent for path in sorted(Path("/usr/lib").glob("*/kamailio/modules/db_postgres.so"))), None)


def is_installed() -> bool:
    """Whether the program and the modules that we need are there."""
    folder = modules_folder()
    return bool(binary() and folder and all((folder / f"{name}.so").exists() for name in ("tls", "websocket")))


def edge_account() -> Account | None:
    """The account that the package made for it; None when we are not root and it simply runs as we do."""
    if os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam(ACCOUNT)
    except KeyError:
        return None
    return Account(ACCOUNT, found.pw_uid, found.pw_gid)


def environment_of_kamailio() -> dict[str, str]:
    """Times in UTC, names looked up in its own schema, and no query that holds a phone up for long."""
    options = "-c search_path=kamailio,edge -c statement_timeout=3000 -c timezone=UTC"
    return {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PATH": BINARY_FOLDERS, "PGOPTIONS": options, "PGCONNECT_TIMEOUT": "3"}


def _make_certificate(folder: Path, settings: Settings) -> None:
    """The certificate that the settings name, else one of our own, made once."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    for path in (certificate, key):
        path.touch(mode=0o600)
    if settings.sip_certificate:
        certificate.write_bytes(Path(settings.sip_certificate).read_bytes())
        key.write_bytes(Path(settings.sip_certificate_key).read_bytes())
    elif not (certificate.stat().st_size and key.stat().st_size):
        made = _self_made(settings)
        key.write_bytes(made[1])
        certificate.write_bytes(made[0])


def _self_made(settings: Settings) -> tuple[bytes, bytes]:
    """A certificate for the address and every tenant's host name, and its key, both as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, settings.base_domain)])
    names = [
        x509.DNSName(settings.base_domain),
        x509.DNSName(f"*.{settings.base_domain}"),
        x509.IPAddress(ip_address(settings.sip_host)),
    ]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + CERTIFICATE_LIFE)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
