"""JSON logs on stdout, one object a line."""

import io
import logging
import sys
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter


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


def configure_logging(level: str) -> None:
    """Send every log record as one JSON line (timestamp in ISO 8601 UTC, level, service, message, extra fields)."""
    # A client may name a stream by half a surrogate pair, which no encoding writes: it is then escaped, as JSON does.
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(errors="backslashreplace")
    handler = _Handler(sys.stdout)
    handler.setFormatter(
        JsonFormatter(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger"},
            static_fields={"service": "sts-service"},
            timestamp=True,
            json_ensure_ascii=False,
        )
    )
    # Below a warning only our own records follow LOG_LEVEL: libraries would log every HTTP request and every decoder step.
    logging.basicConfig(level=max(logging.WARNING, logging.getLevelNamesMapping()[level]), handlers=[handler], force=True)
    logging.getLogger("sts_service").setLevel(level)
