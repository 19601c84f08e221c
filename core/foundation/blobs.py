"""Files of the tenant: raw mails, attachments, later recordings. Encrypted before they leave the process.

Each blob has a random name, a key of its own and AES-256-GCM (NIST SP 800-38D) with the name as associated data. The
keys lie in another place than the blobs and the database; whoever destroys the key has destroyed every copy.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NewType

import fsspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from core.foundation.errors import NotFound, Unavailable
from core.foundation.i18n import _
from core.foundation.models import NOT_PERSONAL, Base, TenantRow, created_now, keep
from core.foundation.settings import settings
from core.foundation.unit_of_work import Work

BlobId = NewType("BlobId", int)

NONCE_BYTES = 12


class Blob(TenantRow, Base):
    """Where a file lies, and which key opens it. The hash is of the plain bytes."""

    __tablename__ = "blob"

    location: Mapped[str] = mapped_column(unique=True, info=NOT_PERSONAL)
    key_name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary, info=keep("integrity of stored evidence"))
    created_at: Mapped[datetime] = created_now()


@dataclass(frozen=True, slots=True)
class Folder:
    """A place for files under an fsspec URL."""

    url: str

    def write(self, name: str, data: bytes) -> None:
        """Store ``data`` durably; raises ``Unavailable`` if the place refuses."""
        filesystem, root = fsspec.core.url_to_fs(self.url)
        try:
            if isinstance(filesystem, LocalFileSystem):
                _write_synced(Path(root) / name[:2] / name, data)
            else:
                filesystem.pipe_file(f"{root}/{name[:2]}/{name}", data)
        except OSError as error:
            raise Unavailable(_("The file store does not answer; nothing was saved.")) from error

    def read(self, name: str) -> bytes:
        """The stored bytes; raises ``NotFound`` if they are gone, ``Unavailable`` if the place refuses."""
        filesystem, root = fsspec.core.url_to_fs(self.url)
        try:
            return bytes(filesystem.cat_file(f"{root}/{name[:2]}/{name}"))
        except FileNotFoundError as error:
            raise NotFound(_("This file no longer exists.")) from error
        except OSError as error:
            raise Unavailable(_("The file store does not answer. Try again in a moment.")) from error

    def remove(self, name: str) -> None:
        """Remove the file; it may be gone already."""
        filesystem, root = fsspec.core.url_to_fs(self.url)
        if filesystem.exists(f"{root}/{name[:2]}/{name}"):
            filesystem.rm_file(f"{root}/{name[:2]}/{name}")


@cache
def files() -> Folder:
    """Where the encrypted files lie."""
    return Folder(settings().blob_url)


@cache
def keys() -> Folder:
    """Where their keys lie: apart, and backed up apart."""
    return Folder(settings().key_store_url)


def store_blob(work: Work, data: bytes) -> BlobId:
    """Encrypt and store ``data``; the row belongs to the transaction, an orphaned file holds nothing readable."""
    location, key_name = secrets.token_hex(16), secrets.token_hex(16)
    key, nonce = AESGCM.generate_key(256), os.urandom(NONCE_BYTES)
    keys().write(key_name, key)
    files().write(location, nonce + AESGCM(key).encrypt(nonce, data, location.encode()))
    blob = Blob(location=location, key_name=key_name, size_bytes=len(data), sha256=hashlib.sha256(data).digest())
    work.session.add(blob)
    work.session.flush()
    return BlobId(blob.id)


def read_blob(work: Work, blob_id: BlobId) -> bytes:
    """The plain bytes. Raises ``NotFound`` for another tenant's blob, a lost file, or a destroyed key."""
    blob = work.session.get(Blob, blob_id)
    if blob is None:
        raise NotFound
    sealed, key = files().read(blob.location), keys().read(blob.key_name)
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], blob.location.encode())
    except (InvalidTag, ValueError) as error:  # ValueError: so little is left that there is no nonce or no key
        raise NotFound(_("This file was damaged and cannot be opened.")) from error


def _write_synced(path: Path, data: bytes) -> None:
    """A new file for our eyes only, on the disk with its name when this returns."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    for folder in (path.parent, path.parent.parent):
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
