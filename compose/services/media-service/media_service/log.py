"""JSON logs on stdout, one object a line: timestamp (ISO 8601, UTC), level, service, message and the fields of the call."""

import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

logger = logging.getLogger("media-service")


class _Formatter(JsonFormatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _CommonFields(logging.Filter):
    def __init__(self, fields: dict[str, object]) -> None:
        super().__init__()
        self._fields = fields

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in self._fields.items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class _Handler(logging.StreamHandler[TextIO]):
    """Says once, not with a traceback for each record, that the disk is full."""

    has_failed = False

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self.has_failed:
            self.has_failed = True
            print(f"the log cannot be written: {error}", file=sys.stderr, flush=True)


def setup_logging(level: str, **fields: object) -> None:
    """Send the log of this process to stdout; `fields` (stream_id, worker_id) are added to every line.

    May be called again, e.g. when a waiting worker learns of its stream.
    """
    handler = _Handler(sys.stdout)
    handler.setFormatter(
        _Formatter(
            ["asctime", "levelname", "message"],
            rename_fields={"asctime": "timestamp", "levelname": "level"},
            static_fields={"service": "media-service"},
        )
    )
    handler.addFilter(_CommonFields(fields))
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
