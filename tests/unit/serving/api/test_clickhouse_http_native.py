"""Blocks at a later revision: the boundaries of columns of every type, held against chDB's own output."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from connectors.clickhouse.client import StoreAddress, connect, create_database
from serving.api.clickhouse_http_native import UnknownTypeError, at_revision

INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
COLUMNS = [
    "toUInt8(number)",
    "toInt256(number)",
    "toFloat32(number)",
    "toString(repeat('я', number * 40))",
    "toFixedString('abc', 5)",
    "toDecimal64(number, 3)",
    "toDecimal256(number, 3)",
    "toDateTime64(number, 3, 'UTC')",
    "toDate32(number)",
    "toUUID('01234567-89ab-cdef-0123-456789abcdef')",
    "toIPv6('::1')",
    "toBool(number % 2)",
    "CAST(number % 2, 'Enum8(\\'a, (b\\' = 0, \\'c\\\\\\'d\\' = 1)')",
    "toIntervalDay(number)",
    "nullIf(number, 1)",
    "NULL",
    "[]",
    "range(number)",
    "arrayMap(x -> range(x), range(number))",
    "toLowCardinality(toString(number))",
    "toLowCardinality(nullIf(toString(number), '1'))",
    "arrayMap(x -> toLowCardinality(toString(x)), range(number))",
    "(number, toString(number), [number])",
    "CAST((number, 'x'), 'Tuple(first UInt8, `second one` LowCardinality(String))')",
    "map('a', number, toString(number), 2)",
    "mapFromArrays(arrayMap(x -> toLowCardinality(toString(x)), range(number)), range(number))",
    "CAST(toString(number), 'SimpleAggregateFunction(any, String)')",
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    address = StoreAddress("", Path(tmp_path_factory.mktemp("store")))
    create_database(address)
    opened = connect(address)
    yield opened
    opened.close()


def native(client: Client, *columns: str, rows: int = 4) -> bytes:
    named = ", ".join(f"{sql} AS c{number}" for number, sql in enumerate(columns))
    return client.raw_query(f"SELECT {named} FROM numbers({rows})", fmt="Native")


def last(client: Client, *columns: str) -> bytes:
    """The bytes of the last column: blocks with and without it begin alike but for the count."""
    return native(client, *columns)[len(native(client, *columns[:-1])) :]


def marked(column: bytes) -> bytes:
    """A column with the mark of revision 54454 after its name and type (both shorter than 128 bytes)."""
    kind = 1 + column[0]
    values = kind + 1 + column[kind]
    return column[:values] + b"\0" + column[values:]


@pytest.mark.parametrize("sql", COLUMNS)
def test_a_column_between_two_others_is_measured_exactly(client: Client, sql: str) -> None:
    columns = ["toUInt16(number + 1)", sql, "'end'"]
    body = native(client, *columns)
    parts = [last(client, *columns[: number + 1]) for number in (1, 2)]
    first = native(client, columns[0])[2:]
    wanted = b"".join(marked(part) for part in (first, *parts))
    assert at_revision(body, 54_460) == INFO + body[:2] + wanted
    assert at_revision(body, 54_405) == INFO + body


def test_every_type_together_and_in_many_blocks(client: Client) -> None:
    body = native(client, *COLUMNS, rows=3)
    assert len(at_revision(body, 54_460)) == len(INFO) + len(body) + len(COLUMNS)
    blocks = native(client, "number", "toString(number)", rows=200_000)
    count = (len(at_revision(blocks, 1)) - len(blocks)) // len(INFO)
    assert count > 1
    assert len(at_revision(blocks, 54_460)) == len(blocks) + count * (len(INFO) + 2)


def test_a_type_that_cannot_be_measured_is_named(client: Client) -> None:
    body = client.raw_query("SELECT sumState(number) AS s FROM numbers(3)", fmt="Native")
    with pytest.raises(UnknownTypeError, match="AggregateFunction"):
        at_revision(body, 54_460)
    assert at_revision(body, 0) == body
