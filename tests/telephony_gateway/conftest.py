"""Telephony with the real engine, a real edge, and phones that are not ours."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.foundation import db
from deploy.local.kamailio import PACKAGES, is_installed
from deploy.local.postgres import Postgres
from deploy.telephony.cache import python_path
from tests.support.cast import Cast
from tests.support.database import TEMPLATE
from tests.support.gateway import Gateway, running_gateway


def engine_is_there() -> bool:
    """Whether pjsua2 was built on this machine."""
    check = [sys.executable, "-c", "import pjsua2"]
    return subprocess.run(check, env={"PYTHONPATH": python_path()}, capture_output=True, check=False).returncode == 0  # noqa: S603  # our own interpreter


@pytest.fixture(scope="module")
def gateway(server: tuple[Postgres, Path], cast: Cast) -> Iterator[Gateway]:
    """Telephony of both companies, with one worker."""
    if not is_installed():
        pytest.skip(f"needs: apt-get install {' '.join(PACKAGES)}")
    if not engine_is_there():
        pytest.skip("pjsua2 is not built here: ./centrala up builds it")
    if shutil.which("baresip") is None:
        pytest.skip("needs: apt-get install baresip-core")
    postgres, folder = server
    db.engine().dispose()
    postgres.drop_database("calls")
    postgres.create_database("calls", template=TEMPLATE)
    with running_gateway(postgres, folder, cast, "calls") as gateway:
        yield gateway
    postgres.drop_database("calls")
