"""Logs for machines: one JSON object a line on standard error, with the row number of a job, never its secret."""

from __future__ import annotations

import logging
import re
import sys

from pythonjsonlogger.json import JsonFormatter

_SECRET = re.compile(r"(/jobs/)[\w-]{16,}")
_SERVERS = ("gunicorn.error", "gunicorn.access")  # loggers with handlers of their own
_QUIET = ("dramatiq", "alembic", "waitress", "PIL", "fsspec", "asyncio", "websockets")  # their warnings are enough


def configure_logs(level: str) -> None:
    """Set up the logging of this process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(hide_secrets)
    fields = "{asctime}{levelname}{name}{process}{message}"
    handler.setFormatter(JsonFormatter(fields, style="{", rename_fields={"asctime": "time", "levelname": "level"}))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _SERVERS:
        logging.getLogger(name).addFilter(hide_secrets)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def hide_secrets(record: logging.LogRecord) -> bool:
    """Take the secret out of the address of a job, which servers quote when a request fails; a filter for logging."""
    record.msg, record.args = _SECRET.sub(r"\1...", record.getMessage()), None
    if record.exc_info:
        record.exc_text = _SECRET.sub(r"\1...", logging.Formatter().formatException(record.exc_info))
        record.exc_info = None  # some formatters would take it instead
    return True
