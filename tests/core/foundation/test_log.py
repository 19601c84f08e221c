"""Logs tell what happened where, and never about whom."""

import json
import subprocess
import sys

import pytest

from core.foundation.log import hide_personal_data
from deploy.local.places import ROOT

PROCESS = """
import logging, structlog
from core.foundation.log import configure_logs
configure_logs()
structlog.get_logger().info("job_done", job_id=17)
try:
    int("jan@example.com said: nothing to see")
except ValueError:
    structlog.get_logger().exception("job_failed", job_id=3)
    for name in ("core.anything", "gunicorn.error", "rq.worker", "sqlalchemy.pool"):
        logging.getLogger(name).exception("it broke for %s", "jan@example.com")
"""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, object]]:
    """What a process writes that says a word in every way there is."""
    done = subprocess.run([sys.executable, "-c", PROCESS], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  # our own code
    return [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize(
    "value",
    ["jan.novak@example.com", "Jan <jan@example.com>", "sip:+420601123456@pbx.example", "+420 601 123 456",
     "+420-601-123-456", "00420601123456", "601 123 456", "601123456", "(+48) 22 123 45 67", "call +420601123456 now",
     "'jan@example.com',"],
)  # fmt: skip
def test_addresses_and_numbers_are_hidden(value: str) -> None:
    entry = hide_personal_data(
        None, "info", {"event": value, "deep": {"list": [value, (value,)], value: ValueError(value)}}
    )
    text = str(entry)
    assert not any(secret in text for secret in ("jan", "601", "22 123", "456"))
    assert "[hidden]" in text


@pytest.mark.parametrize(
    "value", ["job_failed", "mail.file", "2026-11-25", "core/worker.py:123 run_job", "12345678", "v1.2.3.4"]
)
def test_everything_else_stays(value: str) -> None:
    assert hide_personal_data(None, "info", {"event": value, "id": 601123456, "none": None}) == {
        "event": value,
        "id": 601123456,
        "none": None,
    }


def test_a_line_is_json_with_a_time_in_utc(lines: list[dict[str, object]]) -> None:
    first = dict(lines[0])
    assert str(first.pop("timestamp")).endswith("Z")
    assert first == {"event": "job_done", "job_id": 17, "level": "info"}


def test_an_exception_is_where_it_happened_without_what_it_said(lines: list[dict[str, object]]) -> None:
    assert [line["event"] for line in lines[1:]] == ["job_failed", *["it broke for [hidden]"] * 4]
    assert {str(line["exception"]) for line in lines[1:]} == {"ValueError: <string>:7 <module>"}
    assert "nothing to see" not in str(lines)
