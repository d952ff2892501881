"""Typed access to the fields of foreign JSON."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from schemas.codecs import InvalidRecordError


def mapping(value: Any, name: str) -> dict[str, Any]:
    """The value as an object; empty for null.

    Raises:
        InvalidRecordError: it is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRecordError("wrong_type", f"`{name}` is no object")
    return value


def sequence(value: Any, name: str) -> list[Any]:
    """The value as an array; empty for null. Errors as `mapping`."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidRecordError("wrong_type", f"`{name}` is no array")
    return value


def string(value: Any, name: str) -> str:
    """The value as text that UTF-8 can hold; empty for null. Errors as `mapping`."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidRecordError("wrong_type", f"`{name}` is no string")
    return value if value.isascii() else value.encode(errors="replace").decode()


def number(value: Any, name: str) -> int | float | None:
    """The value as a number, also where it is written as a string; None for null.

    Raises:
        InvalidRecordError: it is something else, or not finite.
    """
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = float(value) if "." in value else int(value[:30])
        except ValueError:
            raise InvalidRecordError("wrong_type", f"`{name}` is no number") from None
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e17:
        raise InvalidRecordError("wrong_type", f"`{name}` is no number")
    return value


def time_ms(value: Any) -> int | None:
    """An ISO 8601 time in ms since the Unix epoch, UTC where it names no zone; None where it is none."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return round(at.timestamp() * 1000)
