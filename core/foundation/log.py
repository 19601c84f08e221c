"""Structured logs: one JSON object a line, ids only.

A value that looks like an e-mail address or a phone number is replaced before it is written: logs outlive the
people's rights to be forgotten.
"""

import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

PERSONAL: Final = re.compile(
    r"""[^\s@<>"']+@[^\s@<>"']+  # an e-mail or SIP address
    | (?:\+|\b00)\d(?:[ ./()-]{0,2}\d){6,}  # a number with its country
    | \b\d(?:[ ./()-]?\d){8,}  # nine digits, however they are grouped""",
    re.VERBOSE,
)
OURS: Final = frozenset({"timestamp", "level"})


def configure_logs() -> None:
    """Set up logging for a process; libraries' warnings pass through the same filter."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_exception_without_values),
        hide_personal_data,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
        foreign_pre_chain=shared,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in ("gunicorn.error", "rq.worker"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("rq").setLevel(logging.WARNING)
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def hide_personal_data(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace addresses and numbers in an entry's values, also inside of lists and objects."""
    for name, value in entry.items():
        if name not in OURS and not name.startswith("_"):
            entry[name] = _hidden(value)
    return entry


def _hidden(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(_hidden(str(name))): _hidden(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden(inner) for inner in value]
    return PERSONAL.sub("[hidden]", str(value))


def _exception_without_values(exc_info: Any) -> str:
    """Where it happened, without the message: messages of databases and parsers quote people's data."""
    kind, _value, trace = exc_info
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 3)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return f"{kind.__name__}: {' > '.join(frames[-8:])}"
