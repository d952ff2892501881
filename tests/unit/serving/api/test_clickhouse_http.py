"""ClickHouse's HTTP interface over chDB: by plain HTTP, clickhouse-connect, and the driver under Grafana."""

import asyncio
import gzip
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import httpx
import pytest
import uvicorn
from clickhouse_connect.driver.exceptions import DatabaseError
from prometheus_client import CollectorRegistry

from connectors.clickhouse.wire import WireReader
from serving.api.app import create_app
from serving.api.clickhouse_http_native import at_revision
from tests.fixtures.api_store import ApiTestStore
from tests.fixtures.store import NOW_MS, TestStore, line, scored, window

TOKEN = "the-token-of-this-test"
GO = Path(__file__).with_name("clickhouse_go")
BUILD_S = 500
"""A first build compiles the driver: a minute on an idle machine."""
UNAVAILABLE = ("requires go", "toolchain not available", "dial tcp", "no such host", "i/o timeout")
WINDOWS = 3


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A served store with some windows and lines."""
    with TestStore.open(tmp_path_factory.mktemp("store")) as store:
        start = NOW_MS - NOW_MS % 10_000
        store.put(
            "pulse.windows.v1",
            *(window("default", start - 10_000 * number, [0.1, 0.5]) for number in range(WINDOWS)),
        )
        store.put("chat.scored.v1", *(scored(line("default", f"m{number}")) for number in range(5)))
        wire = WireReader(store.address)
        app = create_app(ApiTestStore(store), TOKEN, registry=CollectorRegistry(), clickhouse=wire)
        server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
        )
        started = threading.Event()
        startup = server.startup

        async def tell(sockets: Any = None) -> None:
            await startup(sockets)
            started.set()

        server.startup = tell  # type: ignore[method-assign]
        thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
        thread.start()
        assert started.wait(20)
        yield server.servers[0].sockets[0].getsockname()[1]
        server.should_exit = True
        thread.join()
        wire.close()


@pytest.fixture
def http(port: int) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"X-ClickHouse-Key": TOKEN}) as client:
        yield client


def ask(http: httpx.Client, sql: str, **params: str) -> httpx.Response:
    return http.get("/clickhouse/", params={"query": sql, **params})


def test_ping_needs_no_password(port: int) -> None:
    for path in ("/ping", "/clickhouse/ping"):
        answer = httpx.get(f"http://127.0.0.1:{port}{path}")
        assert (answer.status_code, answer.text) == (200, "Ok.\n")


@pytest.mark.parametrize("how", ["get", "post body", "post both", "root", "gzip body"])
def test_a_query_comes_by_get_or_post(http: httpx.Client, how: str) -> None:
    sql = "SELECT count() AS n FROM windows"
    answer = {
        "get": lambda: ask(http, sql),
        "post body": lambda: http.post("/clickhouse/", content=sql),
        "post both": lambda: http.post(
            "/clickhouse/", params={"query": "SELECT count() AS n"}, content="FROM windows"
        ),
        "root": lambda: http.get("/", params={"query": sql}),
        "gzip body": lambda: http.post(
            "/", content=gzip.compress(sql.encode()), headers={"Content-Encoding": "gzip"}
        ),
    }[how]()
    assert (answer.status_code, answer.text) == (200, f"{WINDOWS}\n")
    assert answer.headers["X-ClickHouse-Format"] == "TabSeparated"
    assert answer.headers["X-ClickHouse-Query-Id"]


def test_the_format_comes_from_the_query_the_header_or_the_parameter(http: httpx.Client) -> None:
    assert ask(http, "SELECT 1 AS a FORMAT JSONEachRow", default_format="CSV").json() == {"a": 1}
    assert ask(http, "SELECT 1 AS a", default_format="JSONCompact").json()["data"] == [[1]]
    answer = http.get(
        "/clickhouse/", params={"query": "SELECT 'a' AS a"}, headers={"X-ClickHouse-Format": "CSV"}
    )
    assert answer.text == '"a"\n'
    assert ask(http, "SELECT 1 FORMAT Nonsense").headers["X-ClickHouse-Exception-Code"] == "73"


def test_parameters_are_values_and_never_sql(http: httpx.Client) -> None:
    text = "a'b\\\\c\\td'); DROP TABLE windows --"
    got = ask(http, "SELECT {v:String} AS v FORMAT JSONEachRow", param_v=text).json()["v"]
    assert got == "a'b\\c\td'); DROP TABLE windows --"
    array = ask(http, "SELECT {v:Array(String)} AS v FORMAT JSONEachRow", param_v="['x','y z']").json()["v"]
    assert array == ["x", "y z"]
    assert ask(http, "SELECT {v:UInt8}", param_v="many").status_code >= 400
    assert ask(http, "SELECT {v:UInt8}").headers["X-ClickHouse-Exception-Code"] == "456"


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4", "deflate"])
def test_answers_are_compressed_where_asked(port: int, encoding: str) -> None:
    url = f"http://127.0.0.1:{port}/clickhouse/"
    query = {"query": "SELECT intDiv(number, 100) FROM numbers(1000)"}
    headers = {"X-ClickHouse-Key": TOKEN, "Accept-Encoding": encoding}
    plain = httpx.get(url, params=query, headers=headers)
    assert "Content-Encoding" not in plain.headers
    with httpx.stream(
        "GET", url, params={**query, "enable_http_compression": "1"}, headers=headers
    ) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["Content-Encoding"] == encoding
    assert len(raw) < len(plain.content)
    assert int(answer.headers["Content-Length"]) == len(raw)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-ClickHouse-Key": "wrong"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic !!!"},
        {"Cookie": f"pulse_token={TOKEN}"},
    ],
)
def test_without_the_token_nothing_is_answered(port: int, headers: dict[str, str]) -> None:
    answer = httpx.post(f"http://127.0.0.1:{port}/", content="SELECT 1", headers=headers)
    assert answer.status_code == 403
    assert answer.headers["X-ClickHouse-Exception-Code"] == "516"
    assert TOKEN not in answer.text


def test_bearer_and_basic_carry_the_token_too(port: int) -> None:
    url = f"http://127.0.0.1:{port}/clickhouse/?query=SELECT+1"
    assert httpx.get(url, headers={"Authorization": f"Bearer {TOKEN}"}).text == "1\n"
    assert httpx.get(url, auth=("anyone", TOKEN)).text == "1\n"


REFUSED = [
    "INSERT INTO retention (platform, what, span_s) VALUES ('x', 'text', 1)",
    "CREATE TABLE t (a UInt8) ENGINE = Memory",
    "DROP VIEW windows",
    "ALTER TABLE retention DELETE WHERE 1",
    "TRUNCATE TABLE retention",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM s3('http://127.0.0.1:1/x', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "SELECT 1 INTO OUTFILE '/tmp/pulse-test-outfile'",
    "SELECT * FROM python('x')",
    "SET max_threads = 8",
    "SELECT 1 SETTINGS max_memory_usage = 0",
    "SELECT 1 SETTINGS readonly = 0",
    "SYSTEM SHUTDOWN",
    "KILL QUERY WHERE 1",
    "GRANT ALL ON *.* TO default",
    "SELECT 1; DROP VIEW windows",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_what_does_not_only_read_is_refused(http: httpx.Client, sql: str) -> None:
    answer = ask(http, sql)
    assert answer.status_code >= 400
    assert int(answer.headers["X-ClickHouse-Exception-Code"]) > 0
    assert ask(http, "SELECT count() FROM windows").text == f"{WINDOWS}\n", "the store must work on"


def test_settings_of_the_caller_are_stripped_to_the_allowed_ones(http: httpx.Client) -> None:
    value = "SELECT value FROM system.settings WHERE name = {name:String}"
    before = ask(http, value, param_name="max_memory_usage").text
    after = ask(http, value, param_name="max_memory_usage", max_memory_usage="0", allow_ddl="1").text
    assert before == after == "400000000\n"
    quoted = "SELECT toUInt64(1) AS a FORMAT JSONEachRow"
    assert ask(http, quoted, output_format_json_quote_64bit_integers="1").text == '{"a":"1"}\n'
    assert ask(http, "SELECT 1", readonly="0").status_code == 403


def test_rows_and_memory_are_limited(http: httpx.Client) -> None:
    assert ask(http, "SELECT number FROM numbers(1000001)").headers["X-ClickHouse-Exception-Code"] == "396"
    heavy = "SELECT groupArray(number) FROM numbers(200000000)"
    assert ask(http, heavy).headers["X-ClickHouse-Exception-Code"] == "241"


def test_other_paths_and_methods_are_not_taken(http: httpx.Client, port: int) -> None:
    assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 401
    assert httpx.get(f"http://127.0.0.1:{port}/api/v1/health").status_code == 401
    assert http.delete("/clickhouse/").status_code == 403
    assert http.post("/", content="x" * (2 << 20)).headers["X-ClickHouse-Exception-Code"] == "62"
    assert ask(http, "SELECT 1", compress="1").headers["X-ClickHouse-Exception-Code"] == "344"


def test_a_native_answer_without_rows_names_its_columns(http: httpx.Client) -> None:
    answer = ask(http, "SELECT 1 AS one, 'x' AS two WHERE 0", default_format="Native")
    assert answer.content == b"\x02\x00\x03one\x05UInt8\x03two\x06String"


def test_blocks_of_a_revision_differ_only_in_their_marks() -> None:
    block = b"\x01\x02\x01a\x05UInt8\x07\x08"
    info = b"\x01\x00\x02\xff\xff\xff\xff\x00"
    assert at_revision(block, 0) == block
    assert at_revision(block * 2, 54_405) == (info + block) * 2
    assert at_revision(block, 54_460) == info + b"\x01\x02\x01a\x05UInt8\x00\x07\x08"


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
def test_clickhouse_connect_reads(port: int, compress: Any) -> None:
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=port, username="x", password=TOKEN, proxy_path="clickhouse", compress=compress
    )
    try:
        assert client.server_version.count(".") >= 2
        result = client.query("SELECT * FROM windows ORDER BY start_ms")
        assert len(result.result_rows) == WINDOWS
        assert {"emotions", "sentiment", "window_start"} <= set(result.column_names)
        messages = client.query("SELECT * FROM messages").result_rows
        assert len(messages) == 5
        assert client.query("SELECT {a:Array(String)}", parameters={"a": ["x", "it's"]}).result_rows == [
            (["x", "it's"],)
        ]
        assert client.query("SELECT 1 AS a WHERE 0").result_rows == []
        assert len(client.query("SELECT number FROM numbers(300000)").result_rows) == 300_000
        with pytest.raises(DatabaseError, match="164"):
            client.command("CREATE TABLE t (a UInt8) ENGINE = Memory")
        with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
            client.query("SELECT * FROM nothing_like_this")
    finally:
        client.close()


def test_clickhouse_go_reads_as_grafana_does(port: int, tmp_path: Path) -> None:
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is missing: the driver under Grafana's data source is not tested")
    program = tmp_path / "ask"
    try:
        built = subprocess.run(
            [go, "build", "-o", str(program), "."],
            cwd=GO,
            capture_output=True,
            text=True,
            timeout=BUILD_S,
            check=False,
            env={**os.environ, "GOTOOLCHAIN": "local"},
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"this machine does not compile the driver within {BUILD_S} s")
    if built.returncode != 0 and any(word in built.stderr for word in UNAVAILABLE):
        pytest.skip(f"Go is too old or its modules cannot be had: {built.stderr.splitlines()[-1]}")
    assert built.returncode == 0, built.stderr
    done = subprocess.run(
        [str(program), f"127.0.0.1:{port}", TOKEN, "clickhouse"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert f"rows {WINDOWS} columns 9" in said
    assert "read 200000" in said
    assert "columns of no rows [one]" in said
    assert said[-1] == "done"


def test_summaries_are_json(http: httpx.Client) -> None:
    summary = json.loads(ask(http, "SELECT 1").headers["X-ClickHouse-Summary"])
    assert summary["result_bytes"] == "2"
