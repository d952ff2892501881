"""Native blocks as a client of a later protocol revision expects them.

The embedded engine writes the Native format of revision 0. A client that sends `client_protocol_version`
reads blocks with a block info in front, and from revision 54454 on a mark of custom serialisation before each
column (ClickHouse: src/Formats/NativeWriter.cpp, src/DataTypes/Serializations). Column data is the same, so
it is only measured, never decoded.
"""

import re
import struct
from typing import Final

CUSTOM_SERIALIZATION: Final = 54_454
"""DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION of ClickHouse's ProtocolDefines.h."""

_BLOCK_INFO: Final = b"\x01\x00\x02\xff\xff\xff\xff\x00"
"""Field 1, is_overflows = 0; field 2, bucket_num = -1; end."""
_BYTES: Final = {
    **dict.fromkeys(("Int8", "UInt8", "Bool", "Enum8", "Nothing"), 1),
    **dict.fromkeys(("Int16", "UInt16", "Enum16", "Date", "BFloat16"), 2),
    **dict.fromkeys(("Int32", "UInt32", "Float32", "DateTime", "Date32", "IPv4", "Decimal32", "Time"), 4),
    **dict.fromkeys(("Int64", "UInt64", "Float64", "DateTime64", "Decimal64", "Time64"), 8),
    **dict.fromkeys(("Int128", "UInt128", "UUID", "IPv6", "Decimal128"), 16),
    **dict.fromkeys(("Int256", "UInt256", "Decimal256"), 32),
}
_DECIMALS: Final = ((9, 4), (18, 8), (38, 16), (76, 32))
"""Bytes of Decimal(P, S) by its largest P."""


class UnknownTypeError(ValueError):
    """A column of a type that cannot be measured; the message names it."""


def at_revision(body: bytes, revision: int) -> bytes:
    """The blocks of `body` (revision 0) for a client of `revision`.

    Raises:
        UnknownTypeError: a column's type is none that is known here (JSON, Dynamic, Variant, states).
    """
    if revision <= 0:
        return body
    mark = b"\0" if revision >= CUSTOM_SERIALIZATION else b""
    out: list[bytes] = []
    at = 0
    while at < len(body):
        start = at
        columns, at = _varint(body, at)
        rows, at = _varint(body, at)
        out += [_BLOCK_INFO, body[start:at]]
        for _ in range(columns):
            start = at
            _, at = _text(body, at)
            kind, at = _text(body, at)
            out += [body[start:at], mark]
            start = at
            if rows:
                at = _after_values(kind, body, at + _prefix_bytes(kind), rows)
            out.append(body[start:at])
    return b"".join(out)


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _text(body: bytes, at: int) -> tuple[str, int]:
    length, at = _varint(body, at)
    return body[at : at + length].decode(), at + length


def _split(kind: str) -> tuple[str, list[str]]:
    """Name of a type and its arguments, split at the commas outside of parentheses and quotes."""
    name, opening, inner = kind.partition("(")
    arguments, depth, start = [], 0, 0
    for match in re.finditer(r"'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|[(),]", inner):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
        if (match[0] == "," and depth == 0) or depth < 0:
            arguments.append(inner[start : match.start()].strip())
            start = match.end()
    return name, arguments if opening else []


def _elements(name: str, arguments: list[str]) -> list[str]:
    """Types inside a Tuple (whose fields may have names) or a Map."""
    if name != "Tuple":
        return arguments
    return [re.sub(r"^(?:`(?:\\.|[^`\\])*`|\w+)\s+(?=\S)", "", argument) for argument in arguments]


def _prefix_bytes(kind: str) -> int:
    """Bytes of state in front of the values: each LowCardinality inside has its version, 8 bytes."""
    name, arguments = _split(kind)
    if name == "LowCardinality":
        return 8
    if name == "SimpleAggregateFunction":
        return _prefix_bytes(arguments[1])
    if name in ("Array", "Nullable", "Tuple", "Map"):
        return sum(_prefix_bytes(inner) for inner in _elements(name, arguments))
    return 0


def _after_values(kind: str, body: bytes, at: int, rows: int) -> int:
    """Where the values of `rows` rows end."""
    name, arguments = _split(kind)
    if rows == 0:
        return at
    if name == "SimpleAggregateFunction":
        return _after_values(arguments[1], body, at, rows)
    if name == "String":
        for _ in range(rows):
            length, at = _varint(body, at)
            at += length
        return at
    if name == "Nullable":
        return _after_values(arguments[0], body, at + rows, rows)
    if name in ("Array", "Map"):
        (held,) = struct.unpack_from("<Q", body, at + 8 * (rows - 1))
        at += 8 * rows
        for inner in arguments:
            at = _after_values(inner, body, at, held)
        return at
    if name == "Tuple":
        for inner in _elements(name, arguments):
            at = _after_values(inner, body, at, rows)
        return at
    if name == "LowCardinality":
        return _after_low_cardinality(arguments[0], body, at)
    return at + rows * _width(name, arguments, kind)


def _after_low_cardinality(inner: str, body: bytes, at: int) -> int:
    """Flags (the width of the keys in the lowest byte), the dictionary, the keys."""
    flags, words = struct.unpack_from("<QQ", body, at)
    name, arguments = _split(inner)
    at = _after_values(arguments[0] if name == "Nullable" else inner, body, at + 16, words)
    (keys,) = struct.unpack_from("<Q", body, at)
    return int(at + 8 + keys * (1 << (flags & 0xFF)))


def _width(name: str, arguments: list[str], kind: str) -> int:
    if name == "FixedString":
        return int(arguments[0])
    if name == "Decimal":
        return next(width for most, width in _DECIMALS if int(arguments[0]) <= most)
    if name.startswith("Interval"):
        return 8
    if name not in _BYTES:
        raise UnknownTypeError(f"the type {kind} is not spoken here: cast it, toString(…) for instance")
    return _BYTES[name]
