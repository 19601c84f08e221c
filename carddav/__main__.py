"""``python -m carddav``: becomes gunicorn, which serves the application on loopback."""

import os
import sys

from core.foundation.settings import settings


def main() -> None:
    """Replace this process."""
    in_memory = ["--worker-tmp-dir", "/dev/shm"] if os.access("/dev/shm", os.W_OK) else []  # noqa: S108  # heartbeat files
    arguments = [
        sys.executable, "-m", "gunicorn", "carddav.wsgi:application", "--worker-class", "gthread", "--workers", "2",
        "--threads", "32", "--bind", f"127.0.0.1:{settings().dav_port}", "--timeout", "60", "--graceful-timeout", "3",
        "--keep-alive", "30", "--limit-request-line", "8190", "--no-control-socket", "--log-level", "warning",
        *in_memory,
    ]  # fmt: skip
    os.execv(sys.executable, arguments)  # noqa: S606  # our own interpreter and arguments


if __name__ == "__main__":
    main()
