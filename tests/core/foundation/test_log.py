"""Logs tell what happened where, and never about whom."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from core.foundation.log import configure_logs, hide_personal_data


@pytest.fixture
def configured(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """The product's logging, and what it wrote; everything as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    structlog.configure(cache_logger_on_first_use=False)
    configure_logs()
    structlog.configure(cache_logger_on_first_use=False)
    yield capsys
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """The lines."""
    text = capsys.readouterr().err
    return [json.loads(line) for line in text.splitlines()]


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


def test_a_line_is_json_with_a_time_in_utc(configured: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info("job_done", job_id=17)
    (line,) = written(configured)
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {"event": "job_done", "job_id": 17, "level": "info"}


@pytest.mark.parametrize("name", ["core.anything", "gunicorn.error", "rq.worker", "sqlalchemy.pool"])
def test_an_exception_is_where_it_happened_without_what_it_said(
    configured: pytest.CaptureFixture[str], name: str
) -> None:
    try:
        int("jan@example.com said: nothing to see")
    except ValueError:
        logging.getLogger(name).exception("it broke for %s", "jan@example.com")
    (line,) = written(configured)
    assert line["event"] == "it broke for [hidden]"
    assert str(line["exception"]).startswith("ValueError: ")
    assert "test_log.py" in str(line["exception"])
    assert "nothing to see" not in str(line)


def test_our_own_exceptions_are_told_the_same_way(configured: pytest.CaptureFixture[str]) -> None:
    letters: dict[str, str] = {}
    try:
        letters["a private letter"]
    except KeyError:
        structlog.get_logger().exception("job_failed", job_id=3)
    (line,) = written(configured)
    assert "private letter" not in str(line)
    assert str(line["exception"]).startswith("KeyError: ")
