"""Reading: foreign queries may read the tables and nothing else."""

from pathlib import Path

import pytest

from connectors.clickhouse.reader import QueryRefusedError, Reader, StoreBusyError
from connectors.clickhouse.routes import MESSAGES
from tests.fixtures.store import TestStore, line

SECRET = "kept from readers"


@pytest.fixture(scope="module", autouse=True)
def some_lines(store: TestStore) -> None:
    store.put(MESSAGES, *(line("reader", f"m{number}") for number in range(3)))


def test_formats(store: TestStore) -> None:
    query = "SELECT count() AS n, 'a/b' AS s FROM messages"
    assert store.reader.foreign(query, "json") == b'{"n":3,"s":"a/b"}\n'
    assert store.reader.foreign(query + ";", "csv") == b'"n","s"\n3,"a/b"\n'
    assert "3" in store.reader.foreign(query, "table").decode()


@pytest.mark.parametrize(
    "query", ["SHOW TABLES", "DESCRIBE messages", "EXPLAIN SELECT 1", "WITH 1 AS x SELECT x", "(SELECT 1)"]
)
def test_reading_statements_pass(store: TestStore, query: str) -> None:
    assert store.reader.foreign(query, "json")


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO chat_lines (workspace) VALUES ('x')",
        "CREATE TABLE t (x Int8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE t (x Int8)",
        "DROP TABLE chat_lines",
        "ALTER TABLE chat_lines DELETE WHERE 1",
        "TRUNCATE TABLE chat_lines",
        "OPTIMIZE TABLE chat_lines FINAL",
        "SYSTEM FLUSH LOGS",
        "KILL QUERY WHERE 1",
        "USE system",
        "SET readonly = 0",
        "ATTACH TABLE t (x Int8) ENGINE = Memory",
        "SELECT 1; DROP TABLE chat_lines",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_memory_usage = 0",
        "SELECT * FROM file('{file}', LineAsString)",
        "SELECT * FROM (SELECT * FROM file('{file}', LineAsString) SETTINGS readonly = 0)",
        "SELECT * FROM url('http://127.0.0.1:9/', LineAsString)",
        "SELECT * FROM s3('http://127.0.0.1:9/bucket/x', LineAsString)",
        "SELECT * FROM remote('127.0.0.1:9', system.one)",
        "SELECT * FROM executable('cat {file}', LineAsString, 's String')",
        "SELECT * FROM python('SECRET')",
        "SELECT * FROM Python(SECRET)",
        "SELECT * FROM `python`('SECRET')",
        "SELECT * FROM mysql('127.0.0.1:9', 'a', 'b', 'c', 'd')",
        "SELECT 1 INTO OUTFILE '{out}'",
        "SELECT 1 /* ' */ INTO OUTFILE '{out}' -- '",
        "SELECT 1 INTO\n\tOUTFILE '{out}' APPEND",
        "WITH (SELECT count() FROM messages) AS n SELECT n INTO OUTFILE '{out}' FORMAT CSV",
        "EXPLAIN SELECT 1 INTO OUTFILE '{out}'",
    ],
)
def test_everything_else_is_refused(store: TestStore, tmp_path: Path, query: str) -> None:
    (tmp_path / "file").write_text(SECRET)
    text = query.replace("{file}", str(tmp_path / "file")).replace("{out}", str(tmp_path / "out"))
    with pytest.raises(QueryRefusedError):
        store.reader.foreign(text, "json")
    assert not (tmp_path / "out").exists()
    assert store.reader.foreign("SELECT count() AS n FROM messages", "json") == b'{"n":3}\n'


def test_words_inside_of_texts_do_not_matter(store: TestStore) -> None:
    query = "SELECT count() AS n FROM messages WHERE text = 'x INTO OUTFILE python(1)'"
    assert store.reader.foreign(query, "json") == b'{"n":0}\n'


def test_a_query_for_too_much_is_refused(store: TestStore) -> None:
    with pytest.raises(QueryRefusedError, match=r"[Ll]imit"):
        store.reader.foreign("SELECT number FROM numbers(2000000)", "json")
    with pytest.raises(QueryRefusedError, match=r"[Mm]emory"):
        store.reader.foreign("SELECT length(groupArray(number)) FROM numbers(200000000)", "json")


def test_a_pool_goes_on_after_a_failed_query(store: TestStore) -> None:
    reader = Reader(store.address, clients=1)
    with pytest.raises(Exception, match="nothing_like_it"):
        reader.rows("SELECT nothing_like_it")
    assert reader.rows("SELECT {x:Int64} AS x", {"x": 5}) == [{"x": 5}]
    reader.close()


def test_a_pool_with_all_clients_in_use_says_so(store: TestStore) -> None:
    reader = Reader(store.address, clients=0, wait_s=0.01)
    with pytest.raises(StoreBusyError):
        reader.rows("SELECT 1")
