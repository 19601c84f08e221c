"""Installing Debian packages: no daemon is left enabled, none that was there is touched. With stand-ins for apt."""

import os
import subprocess
from pathlib import Path

import pytest

from deploy.local import packages
from deploy.local.packages import SCRIPT, PackagesMissing, install, missing

STAND_INS = {
    "dpkg-query": 'grep -qx "$4" "$STATE/installed" && printf installed',
    "dpkg": 'if [ "$1" = -L ]; then echo "/lib/systemd/system/$2.service"; echo "/etc/init.d/$2"; fi',
    "apt-get": (
        'case "$*" in *" install "*) ;; *) exit 0;; esac\n'
        '[ -x "$CENTRALA_INSTALL_ROOT/usr/sbin/policy-rc.d" ] && echo "held back" >>"$STATE/calls"\n'
        'if [ -e "$STATE/broken" ]; then kill -9 $PPID; fi\n'
        'for word; do case "$word" in -*|DPkg*|install) ;; *) echo "$word" >>"$STATE/installed";; esac; done'
    ),
    "systemctl": 'echo "systemctl $*" >>"$STATE/calls"',
    "update-rc.d": 'echo "update-rc.d $*" >>"$STATE/calls"',
}
POLICY = "#!/bin/sh\nexit 0\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine without packages."""
    for name, text in STAND_INS.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    (tmp_path / "installed").touch()
    (tmp_path / "calls").touch()
    (tmp_path / "usr" / "sbin").mkdir(parents=True)
    return tmp_path


def run(machine: Path, *names: str) -> int:
    """Install packages on the machine; the exit code."""
    environment = {
        "PATH": f"{machine / 'bin'}:{os.environ['PATH']}",
        "STATE": str(machine),
        "CENTRALA_INSTALL_ROOT": str(machine),
    }
    return subprocess.run(["sh", SCRIPT, *names], env=environment, check=False).returncode  # noqa: S603, S607  # our own script


def calls(machine: Path) -> list[str]:
    """What was asked of the machine's tools."""
    return (machine / "calls").read_text().splitlines()


def test_a_daemon_is_neither_started_nor_left_enabled(machine: Path) -> None:
    assert run(machine, "kamailio") == 0
    assert calls(machine) == [
        "held back",
        "systemctl disable --quiet kamailio.service",
        "update-rc.d kamailio disable",
    ]
    assert not (machine / "usr/sbin/policy-rc.d").exists()


def test_one_that_was_there_stays_as_it_is(machine: Path) -> None:
    (machine / "installed").write_text("kamailio\n")
    assert run(machine, "kamailio") == 0
    assert calls(machine) == []


def test_the_owners_own_policy_stays(machine: Path) -> None:
    policy = machine / "usr/sbin/policy-rc.d"
    policy.write_text(POLICY)
    run(machine, "kamailio")
    assert policy.read_text() == POLICY


def test_what_was_broken_off_is_finished_by_the_next(machine: Path) -> None:
    (machine / "broken").touch()
    assert run(machine, "kamailio") != 0
    (machine / "broken").unlink()
    (machine / "installed").write_text("kamailio\n")
    assert run(machine, "kamailio") == 0
    assert "systemctl disable --quiet kamailio.service" in calls(machine)
    assert not (machine / "usr/sbin/policy-rc.d").exists()


def test_without_the_right_to_install_the_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_as_root", lambda: None)
    with pytest.raises(PackagesMissing, match="apt-get install no-such-package"):
        install(["dpkg", "no-such-package"], log=tmp_path / "log")


def test_installed_packages_are_known() -> None:
    assert missing(["dpkg", "no-such-package"]) == ["no-such-package"]
