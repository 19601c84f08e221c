"""The CardDAV server as it runs in production: gunicorn, on a port of the test's own."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.places import ROOT
from tests.support.ports import free_port
from tests.support.waiting import wait_until


@contextmanager
def running_server() -> Iterator[str]:
    """Start the server on the database that the settings name; yields its address."""
    port = free_port()
    environment = os.environ | {"CENTRALA_DAV_PORT": str(port)}
    process = subprocess.Popen(  # our own module
        [sys.executable, "-m", "carddav"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: _answers(port), deadline_s=30)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("OPTIONS", "/dav/")
        return connection.getresponse().status == 200
    except OSError:
        return False
