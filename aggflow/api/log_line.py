"""A log line: one record of the log as one line of JSON, without the passwords that it may hold."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, cast

import orjson

from aggflow.errors import without_password


class LogLine(logging.Formatter):
    """Writes records as lines of JSON; a record whose message is a dictionary gives its keys.

    Examples
    --------
    >>> record = logging.LogRecord("aggflow.x", 20, "", 0, "took %d s", (3,), None)
    >>> record.created = 0.0
    >>> LogLine().format(record)
    '{"time":"1970-01-01T00:00:00.000000Z","level":"info","logger":"aggflow.x","message":"took 3 s"}'
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "time": f"{_second(int(record.created))}.{int(record.created % 1 * 1e6):06d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if isinstance(record.msg, dict):
            line |= cast("dict[str, Any]", record.msg)
        else:
            line["message"] = without_password(record.getMessage())
        if record.exc_info:
            line["error"] = without_password(self.formatException(record.exc_info))
        return orjson.dumps(line, default=str).decode()


@lru_cache(maxsize=2)
def _second(since: int) -> str:
    return f"{datetime.fromtimestamp(since, UTC):%Y-%m-%dT%H:%M:%S}"


def logging_config(level: str = "INFO") -> dict[str, Any]:
    """The configuration of a service's log, for ``logging.config``: everything, to standard error.

    Parameters
    ----------
    level
        From which on records are written.
    """
    to_stderr: Final = {"handlers": ["lines"], "level": level, "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "aggflow.api.log_line.LogLine"}},
        "handlers": {"lines": {"class": "aggflow.api.log_writer.LogWriter", "formatter": "lines"}},
        "loggers": {"aggflow": to_stderr, "uvicorn": to_stderr, "py.warnings": to_stderr},
        "root": {"handlers": ["lines"], "level": "WARNING"},
    }
