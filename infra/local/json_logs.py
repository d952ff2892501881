"""Logs of our processes: one JSON object a line, ids in fields of their own, no secret and no chat text.

What a line may hold beside its message is on a list. Of an exception it holds type and place, and the
message only where the type is ours or the operating system's: a driver may quote the record it choked on.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, TextIO

from pythonjsonlogger.json import JsonFormatter

FIELDS: Final = (
    "workspace",
    "channel",
    "stream_id",
    "message_id",
    "alert_id",
    "topic",
    "partition",
    "offset",
    "table",
    "target",
    "part",
    "error_class",
    "trace_id",
)
"""Fields that a caller may add by `extra`; others stay out, so that nobody logs a text by accident."""

ROOMS: Final = ("infra", "connectors", "serving", "pipelines", "schemas", "dashboards")
"""Our own packages: they log from INFO on, libraries from WARNING on."""

_SECRET: Final = re.compile(r"TOKEN|SECRET|PASSWORD|(?:^|_)KEY(?:$|_)")
_CREDENTIALS: Final = re.compile(r"//[^/@\s]*:([^/@\s]+)@")
_SHORTEST_SECRET: Final = 8
_HIDDEN: Final = "***"
_PLAIN: Final = "%(asctime)s %(levelname)-7s %(message)s"

Failure = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(process: str, *, stream: TextIO | None = None, people: bool = False) -> None:
    """Send this process' logs to a stream; the last call counts.

    Args:
        process: what the field `process` says: store, supervisor, notifier, connector.
        stream: default standard error.
        people: plain lines instead of JSON where the stream is a terminal and PULSE_LOG_FORMAT is not `json`.
    """
    target = stream or sys.stderr
    plain = people and target.isatty() and os.environ.get("PULSE_LOG_FORMAT") != "json"
    handler = logging.StreamHandler(target)
    handler.setFormatter(PlainLines() if plain else JsonLines(process, secrets(os.environ)))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for room in (*ROOMS, "__main__"):
        logging.getLogger(room).setLevel(logging.INFO)


def secrets(environment: Mapping[str, str]) -> frozenset[str]:
    """Values that must not appear: of variables that are named as secrets, and passwords in addresses."""
    found = set()
    for name, value in environment.items():
        if _SECRET.search(name):
            found.add(value)
        found |= set(_CREDENTIALS.findall(value))
    return frozenset(value for value in found if len(value) >= _SHORTEST_SECRET)


class PlainLines(logging.Formatter):
    """A line for people at a terminal."""

    def __init__(self) -> None:
        super().__init__(_PLAIN)

    def formatException(self, ei: Failure) -> str:
        """Type and place of the exception and of its causes."""
        return _places(ei)


class JsonLines(JsonFormatter):
    """One JSON object a line: timestamp, level, logger, process, message, ids, exception."""

    def __init__(self, process: str, hidden: frozenset[str]) -> None:
        super().__init__(json_ensure_ascii=False)
        self._process, self._hidden = process, hidden

    def formatException(self, ei: Failure) -> str:
        """Type and place of the exception and of its causes."""
        return _places(ei)

    def format(self, record: logging.LogRecord) -> str:
        """The line, with secrets blotted out."""
        line = super().format(record)
        for secret in self._hidden:
            line = line.replace(secret, _HIDDEN)
        return line

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Fill the object; the order is that of the line."""
        at = datetime.fromtimestamp(record.created, UTC)
        log_data["timestamp"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        log_data["level"], log_data["logger"] = record.levelname, record.name
        log_data["process"], log_data["message"] = self._process, record.getMessage()
        log_data |= {name: vars(record)[name] for name in FIELDS if name in vars(record)}
        if message_dict.get("exc_info"):
            log_data["exception"] = message_dict["exc_info"]


def _places(failure: Failure) -> str:
    return "".join(_told(failure[1])) if failure[1] is not None else ""


def _told(error: BaseException) -> list[str]:
    lines = _told(error.__cause__) if error.__cause__ is not None else []
    kind = type(error)
    named = f"{kind.__module__}.{kind.__qualname__}"
    says = isinstance(error, OSError) or kind.__module__.split(".")[0] in ROOMS
    return [
        *lines,
        *traceback.format_tb(error.__traceback__),
        f"{named}: {error}\n" if says else f"{named}\n",
    ]
