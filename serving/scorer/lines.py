"""Score JSON lines: one line out per line in, in order, whatever the line holds."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
import pyarrow as pa

from schemas.scoring import REQUEST
from serving.scorer.backend import Scorer
from serving.scorer.rows import rows_from_response

MAX_LINE_BYTES: Final = 8 << 20
"""Longer lines are answered by an error; no platform's message comes near."""

_ID_BYTES: Final = 4_096


class InvalidLineError(Exception):
    """A line is no {id, text, lang?, emotes?}; `identity` is its id where one could be read."""

    def __init__(self, message: str, identity: Any = None) -> None:
        super().__init__(message)
        self.identity = identity


@dataclass(frozen=True)
class Line:
    """One valid line; the id is any JSON value, given back as it came."""

    identity: Any
    text: str
    lang: str | None
    emotes: list[str] | None


class Readable(Protocol):
    """A binary stream such as stdin's buffer or a gzip file."""

    def read1(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, as soon as there are any; empty at the end."""


def read_lines(stream: Readable, most: int = 2_000) -> Iterator[list[bytes]]:
    """Batches of complete lines, without their line break: what has arrived, at most `most` lines.

    A batch is handed on as soon as the stream pauses, so that a slow pipe is answered at once. A line of more
    than MAX_LINE_BYTES comes as its first MAX_LINE_BYTES + 1 bytes. A last line without a line break counts.
    """
    rest = b""
    while chunk := stream.read1(1 << 20):
        lines = (rest + chunk if len(rest) <= MAX_LINE_BYTES else _cut(rest, chunk)).split(b"\n")
        rest = lines.pop()
        for start in range(0, len(lines), most):
            yield lines[start : start + most]
    if rest:
        yield [rest]


def parse_line(line: bytes) -> Line:
    """One line as a typed value.

    Raises:
        InvalidLineError: If it is empty, too long, not UTF-8, no JSON object, or has a value of a wrong type.
    """
    if len(line) > MAX_LINE_BYTES:
        raise InvalidLineError(f"longer than {MAX_LINE_BYTES} bytes", _identity_of_prefix(line))
    if not line.strip(b" \t\r\xef\xbb\xbf"):
        raise InvalidLineError("empty line")
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidLineError(f"not UTF-8: {error}", _identity_of_broken(line)) from error
    except (ValueError, RecursionError) as error:
        raise InvalidLineError(f"not JSON: {error}", _identity_of_prefix(line)) from error
    if not isinstance(value, dict):
        raise InvalidLineError("not a JSON object")
    identity, text = value.get("id"), value.get("text")
    if not isinstance(text, str):
        raise InvalidLineError("text is missing" if text is None else "text must be a string", identity)
    lang, emotes = value.get("lang"), value.get("emotes")
    if lang is not None and not isinstance(lang, str):
        raise InvalidLineError("lang must be a string", identity)
    if emotes is not None and not (
        isinstance(emotes, list) and all(isinstance(name, str) for name in emotes)
    ):
        raise InvalidLineError("emotes must be a list of strings", identity)
    return Line(
        identity,
        _encodable(text),
        _encodable(lang),
        [_encodable(name) for name in emotes] if emotes else None,
    )


def score_lines(scorer: Scorer, lines: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The answers to some lines, in order: (JSON without a line break, whether the line was valid)."""
    parsed: list[Line | InvalidLineError] = []
    for line in lines:
        try:
            parsed.append(parse_line(line))
        except InvalidLineError as error:
            parsed.append(error)
    rows = iter(_score(scorer, [line for line in parsed if isinstance(line, Line)]))
    for outcome in parsed:
        if isinstance(outcome, Line):
            yield _encode(next(rows) | {"id": outcome.identity}), True
        else:
            yield _encode({"id": outcome.identity, "error": str(outcome)}), False


def _score(scorer: Scorer, lines: list[Line]) -> list[dict[str, Any]]:
    if not lines:
        return []
    columns = [
        pa.array([str(index) for index in range(len(lines))], pa.string()),
        pa.array([line.text for line in lines], pa.string()),
        pa.array([line.lang for line in lines], pa.string()),
        pa.nulls(len(lines), pa.string()),
        pa.array([line.emotes for line in lines], pa.list_(pa.string())),
    ]
    return rows_from_response(scorer.score(pa.RecordBatch.from_arrays(columns, schema=REQUEST)))


def _encode(answer: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(answer)
    except (msgspec.MsgspecError, OverflowError, UnicodeEncodeError, RecursionError):
        # Ids that JSON allows and msgspec does not: integers beyond 64 bits, lone surrogates.
        return json.dumps(answer).encode("ascii")


def _encodable(text: Any) -> Any:
    """The text without lone surrogates, which JSON escapes may hold and UTF-8 may not."""
    return text.encode("utf-8", "ignore").decode() if isinstance(text, str) and not text.isascii() else text


def _cut(rest: bytes, chunk: bytes) -> bytes:
    """Go on with an overlong line without keeping all of it."""
    at = chunk.find(b"\n")
    return rest[: MAX_LINE_BYTES + 1] + (chunk[at:] if at >= 0 else b"")


def _identity_of_broken(line: bytes) -> Any:
    try:
        value = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return _identity_of_prefix(line)
    return value.get("id") if isinstance(value, dict) else None


def _identity_of_prefix(line: bytes) -> Any:
    """The id of an object that is broken further on, if `"id"` is its first key."""
    head = line[:_ID_BYTES].decode("utf-8", "replace").lstrip(" \t\ufeff")
    if not head.startswith("{"):
        return None
    decoder = json.JSONDecoder()
    try:
        key, end = decoder.raw_decode(head, len(head) - len(head[1:].lstrip()))
        after = head[end:].lstrip()
        if key != "id" or not after.startswith(":"):
            return None
        return decoder.raw_decode(after[1:].lstrip())[0]
    except (ValueError, RecursionError):
        return None
