"""Logs for machines: one JSON object a line on standard error, with the row number of a job, never its secret."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

_QUIET = ("dramatiq", "alembic", "waitress", "PIL", "fsspec", "asyncio")  # their warnings are enough


def configure_logs(level: str) -> None:
    """Set up the logging of this process."""
    handler = logging.StreamHandler(sys.stderr)
    fields = "{asctime}{levelname}{name}{process}{message}"
    handler.setFormatter(JsonFormatter(fields, style="{", rename_fields={"asctime": "time", "levelname": "level"}))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
