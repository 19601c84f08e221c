"""Files are unreadable wherever they lie, and belong to one company."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.foundation import blobs
from core.foundation.blobs import Blob, BlobId, Folder, read_blob, store_blob
from core.foundation.errors import NotFound, Unavailable
from core.foundation.unit_of_work import Work
from tests.conftest import WorkAs

CANARY = b"canary-4f1c-of-a-private-letter"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty folders for files and keys."""
    monkeypatch.setattr(blobs, "files", lambda: Folder((tmp_path / "files").as_uri()))
    monkeypatch.setattr(blobs, "keys", lambda: Folder((tmp_path / "keys").as_uri()))
    return tmp_path


@pytest.fixture
def work(work_as: WorkAs) -> Iterator[Work]:
    """A unit of work of the demo company."""
    with work_as("system") as work:
        yield work


def stored_files(folder: Path) -> list[Path]:
    """All files below."""
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("data", [b"", b"x", CANARY * 1000, bytes(range(256)) * 4096])
def test_what_was_stored_is_read_again(work: Work, store: Path, data: bytes) -> None:
    blob_id = store_blob(work, data)
    assert read_blob(work, blob_id) == data
    assert work.session.get_one(Blob, blob_id).size_bytes == len(data)


def test_no_plain_byte_lies_on_the_disk(work: Work, store: Path) -> None:
    store_blob(work, CANARY * 10)
    written = stored_files(store)
    assert len(written) == 2
    assert not any(CANARY in path.read_bytes() for path in written)


def test_the_same_bytes_are_never_stored_alike(work: Work, store: Path) -> None:
    first, second = store_blob(work, CANARY), store_blob(work, CANARY)
    rows = work.session.scalars(select(Blob).where(Blob.id.in_([first, second]))).all()
    sealed = {path.read_bytes() for path in stored_files(store / "files")}
    assert len(sealed) == 2
    assert len({row.key_name for row in rows}) == 2


@pytest.mark.attack(14)
def test_names_are_long_and_random(work: Work, store: Path) -> None:
    for _ in range(3):
        store_blob(work, b"x")
    names = {path.name for path in stored_files(store)}
    assert len(names) == 6
    assert all(len(bytes.fromhex(name)) == 16 for name in names)


def test_only_our_account_can_read_files_and_keys(work: Work, store: Path) -> None:
    store_blob(work, CANARY)
    assert {path.stat().st_mode & 0o777 for path in stored_files(store)} == {0o600}
    folders = [path for path in store.rglob("*") if path.is_dir() and len(path.name) == 2]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


@pytest.mark.attack(1)
def test_another_companys_file_does_not_exist(work_as: WorkAs, store: Path) -> None:
    with work_as("system") as work:
        blob_id = store_blob(work, CANARY)
    with work_as("oleg") as work, pytest.raises(NotFound):
        read_blob(work, blob_id)


def test_an_id_that_nobody_has_does_not_exist(work: Work, store: Path) -> None:
    with pytest.raises(NotFound):
        read_blob(work, BlobId(2**40))


@pytest.mark.parametrize("place", ["files", "keys"])
def test_without_file_or_key_nothing_is_left(work: Work, store: Path, place: str) -> None:
    blob_id = store_blob(work, CANARY)
    blob = work.session.get_one(Blob, blob_id)
    if place == "files":
        blobs.files().remove(blob.location)
    else:
        blobs.keys().remove(blob.key_name)
        blobs.keys().remove(blob.key_name)
    with pytest.raises(NotFound):
        read_blob(work, blob_id)


@pytest.mark.parametrize("place", ["files", "keys"])
@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: bytes([data[0] ^ 1]) + data[1:], lambda _: b""]
)
def test_a_damaged_file_or_key_opens_nothing(work: Work, store: Path, place: str, damage: object) -> None:
    blob_id = store_blob(work, CANARY)
    (path,) = stored_files(store / place)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]  # one of the functions above
    with pytest.raises(NotFound, match="damaged"):
        read_blob(work, blob_id)


def test_files_cannot_be_exchanged_for_each_other(work: Work, store: Path) -> None:
    first, second = (work.session.get_one(Blob, store_blob(work, data)) for data in (b"one", b"two"))
    blobs.files().remove(first.location)
    blobs.files().write(first.location, blobs.files().read(second.location))
    first.key_name = second.key_name
    with pytest.raises(NotFound):
        read_blob(work, BlobId(first.id))


def test_a_store_that_refuses_is_unavailable(work: Work, store: Path) -> None:
    (store / "files").write_bytes(b"in the way")
    with pytest.raises(Unavailable):
        store_blob(work, CANARY)


def test_any_file_system_of_the_library_will_do(work: Work, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "files", lambda: Folder("memory://files"))
    assert read_blob(work, store_blob(work, CANARY)) == CANARY
    assert stored_files(store / "files") == []
