"""Puts batches of record bytes on disk; finds the rows that the engine cannot take."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as DriverError

from connectors.clickhouse.routes import Row

# One block and so one part a table and insert; a batch may span many partitions when history is imported.
INSERT_SETTINGS: Final[dict[str, str | int]] = {
    "input_format_skip_unknown_fields": 1,
    "input_format_null_as_default": 1,
    "input_format_json_read_objects_as_strings": 1,
    "input_format_parallel_parsing": 0,
    "max_insert_threads": 1,
    "max_threads": 1,
    "max_insert_block_size": 1_048_576,
    "max_partitions_per_insert_block": 0,
}

# Engine errors that lie in the data and will not pass by waiting
# (https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp).
DATA_ERRORS: Final = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        25,  # CANNOT_PARSE_ESCAPE_SEQUENCE
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        33,  # CANNOT_READ_ALL_DATA
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        53,  # TYPE_MISMATCH
        69,  # ARGUMENT_OUT_OF_BOUND
        70,  # CANNOT_CONVERT_TYPE
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        130,  # CANNOT_READ_ARRAY_FROM_TEXT
        131,  # TOO_LARGE_STRING_SIZE
        190,  # SIZES_OF_ARRAYS_DONT_MATCH
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        407,  # DECIMAL_OVERFLOW
        467,  # CANNOT_PARSE_BOOL
    }
)


class Refusal(NamedTuple):
    """A row that the engine cannot take, and its error (code and kind, never the row's content)."""

    row: Row
    error: str


class Writer(Protocol):
    """Inserts the rows' bytes into a landing table; on return the inserted rows are on disk.

    May be called twice with the same rows: the tables merge repeats. Raises whatever the store raises when
    it is down or refuses writes; then any part of the rows may already be stored.
    """

    def write(self, table: str, rows: Sequence[Row]) -> list[Refusal]:
        """Insert all rows but those that cannot be taken, which are returned."""


class StoreWriter:
    """Writer over a clickhouse-connect client, one thread at a time."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def write(self, table: str, rows: Sequence[Row]) -> list[Refusal]:
        """See Writer; a bad row costs about 2 log2(rows) further inserts."""
        try:
            self._insert(table, rows)
        except DriverError as error:
            if getattr(error, "code", None) not in DATA_ERRORS:
                raise
            if len(rows) == 1:
                return [Refusal(rows[0], f"the store refused it with error {error.code}")]
            middle = len(rows) // 2
            return self.write(table, rows[:middle]) + self.write(table, rows[middle:])
        return []

    def _insert(self, table: str, rows: Sequence[Row]) -> None:
        block = b"\n".join([row.value for row in rows if row.value])
        if block:
            self._client.raw_insert(table, insert_block=block, fmt="JSONEachRow", settings=INSERT_SETTINGS)
