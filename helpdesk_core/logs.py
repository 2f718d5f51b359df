"""Logging: one JSON object per line, or plain text where a person looks on.

Facts go into `extra`, never into the message: `log.info("request", extra={"status": 200})`. What is secret has a
secret type (`pydantic.SecretStr`) and is written as asterisks, wherever it turns up.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
from pydantic import BaseModel

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_DATACLASS
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send every logger of this process, the server's own included, to `stream`.

    Args:
        level: the least serious messages to write, `info` for instance.
        stream: standard error when omitted.
    """
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainLines() if stream.isatty() else JsonLines())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(capture=True)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # nobody reads them; each costs
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("huey").setLevel(logging.WARNING)  # a line for each ring says nothing
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it writes down whole URLs, with what is secret in them
    logging.getLogger("alembic").setLevel(logging.WARNING)  # `helpdesk migrate` says itself what it did
    logging.getLogger("uvicorn.access").disabled = True  # `helpdesk.web` has a line for each request


def facts(record: logging.LogRecord) -> dict[str, Any]:
    """Return what was passed as `extra`."""
    return {name: value for name, value in record.__dict__.items() if name not in _STANDARD}


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **facts(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(line, _written, _OPTIONS).decode()
        except TypeError:  # a lone surrogate, a number beyond 64 bits: rare, and never a reason to lose the line
            safe = {name: ascii(value) for name, value in line.items()}
            return orjson.dumps(safe).decode()


class PlainLines(logging.Formatter):
    """Formats a record for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the trace below it if there is one."""
        parts = [_instant(record)[11:19], f"{record.levelname.lower():7}", record.getMessage()]
        parts += [f"{name}={_readable(value)}" for name, value in facts(record).items()]
        line = " ".join(parts)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _instant(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written(value: Any) -> Any:
    """Return what JSON has no form for in one that hides what is secret."""
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


def _readable(value: Any) -> str:
    return ascii(value) if isinstance(value, str) and not value.isprintable() else str(value)
