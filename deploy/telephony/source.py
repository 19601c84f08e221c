"""Where pjproject's source comes from: a file of Debian's own package ``asterisk``, known by its hash."""

import hashlib
import http.client
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

POOL: Final = "pool/main/a/asterisk"
NAME: Final = "asterisk_22.10.1+dfsg+~cs6.17.60671434.orig-Xpjproject.tar.xz"
SHA256: Final = "6860c2f7604b4eee75f38151a9ef69774eb3f0c5286fc1d14bc1db2dc5a9e8aa"
SHA1: Final = "9cbc54943839c75a8d626e84d3562074bc766222"
"""Only the name under which Debian's archive of all former files keeps it; SHA-256 decides."""

APT: Final = Path("/etc/apt")
MAIN_MIRROR: Final = "http://deb.debian.org/debian"
FORMER_FILES: Final = f"https://snapshot.debian.org/file/{SHA1}"
TIMEOUT_S: Final = 30
LARGEST_BYTES: Final = 32 * 2**20
ONE_LINE: Final = re.compile(r"^\s*deb(?:-src)?\s+(?:\[[^\]]*\]\s+)?(\S+)\s")
URIS: Final = re.compile(r"^URIs:\s*(.+)$", re.IGNORECASE)


class SourceMissing(RuntimeError):
    """The source could not be fetched from anywhere."""


def fetch(folder: Path) -> Path:
    """The archive, in ``folder``: what lies there already if its hash is right, else from Debian.

    Raises:
        SourceMissing: no place had the file with the recorded hash; the message says what each answered.
    """
    target = folder / NAME
    if target.exists() and _hash(target.read_bytes()) == SHA256:
        return target
    folder.mkdir(parents=True, exist_ok=True)
    answers = []
    for url in places(APT):
        try:
            body = _download(url)
        except (OSError, http.client.HTTPException) as error:
            answers.append(f"{url}: {error}")
            continue
        if _hash(body) == SHA256:
            unfinished = target.with_suffix(".unfinished")
            unfinished.write_bytes(body)
            unfinished.rename(target)
            return target
        answers.append(f"{url}: another file than the recorded one")
    raise SourceMissing(f"{NAME} could not be fetched. " + "; ".join(answers))


def places(apt: Path) -> Iterator[str]:
    """Where to look, in this order: the mirrors that apt uses, Debian's own, its archive of all former files."""
    for mirror in dict.fromkeys([*mirrors(apt), MAIN_MIRROR]):
        yield f"{mirror.rstrip('/')}/{POOL}/{NAME.replace('+', '%2b').replace('~', '%7e')}"
    yield FORMER_FILES


def mirrors(apt: Path) -> Iterator[str]:
    """The Debian mirrors in apt's sources, in either of its formats (sources.list(5))."""
    lists = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))]
    for path in (path for path in lists if path.is_file()):
        for line in path.read_text(errors="replace").splitlines():
            if found := ONE_LINE.match(line):
                yield from _usable([found.group(1)])
    for path in sorted((apt / "sources.list.d").glob("*.sources")):
        for line in path.read_text(errors="replace").splitlines():
            if found := URIS.match(line):
                yield from _usable(found.group(1).split())


def _usable(urls: list[str]) -> Iterator[str]:
    """Mirrors of Debian itself; security updates and other people's repositories have another pool."""
    for url in urls:
        if url.startswith(("http://", "https://")) and url.rstrip("/").endswith("/debian"):
            yield url.rstrip("/")


def _download(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310  # http and https alone, see places
        body: bytes = answer.read(LARGEST_BYTES + 1)
    if len(body) > LARGEST_BYTES:
        raise OSError("larger than any file that is meant")
    return body


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
