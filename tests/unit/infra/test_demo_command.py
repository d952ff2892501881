import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from infra.cli.bench import app as bench
from infra.cli.demo import BUNDLED
from infra.cli.demo import app as demo
from infra.local.acceptance.api_rows import ApiRows, QueryError, page_link
from infra.local.acceptance.demonstration import verdict, write_report
from infra.local.acceptance.exactness import Exactness
from infra.local.acceptance.load_process import LoadError, LoadProcess
from infra.local.acceptance.recording import read_recording
from infra.local.settings import Stack
from schemas.endpoints import Endpoints


def _report(**found: object) -> dict[str, object]:
    exactness = Exactness(**found)  # type: ignore[arg-type]
    return {
        "exact": exactness.exact,
        "problem": "",
        "lost": exactness.lost,
        "duplicates": exactness.duplicates,
        "exactness": vars(exactness),
    }


def test_the_verdict_is_silent_where_all_is_exact() -> None:
    assert verdict(_report()) == ""


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"lost_lines": 3}, "3 rows lost"),
        ({"lost_in_windows": 2}, "2 rows lost"),
        ({"repeated_lines": 1}, "1 rows doubled"),
        ({"unscored_lines": 4}, "4 lines unscored"),
        ({"wrong_windows": 5, "examples": ["c/1: so and so"]}, "c/1: so and so"),
    ],
)
def test_the_verdict_says_what_is_wrong(found: dict[str, object], said: str) -> None:
    assert said in verdict(_report(**found))


def test_a_drain_that_stalled_is_no_success() -> None:
    assert "stuck" in verdict({**_report(), "exact": False, "problem": "stuck at 5"})


def test_a_report_replaces_the_file_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")
    write_report(path, {"lost": 0, "summary": "ещё"})
    assert json.loads(path.read_text()) == {"lost": 0, "summary": "ещё"}
    assert list(tmp_path.iterdir()) == [path]


def test_the_bundled_recording_is_all_chat() -> None:
    recording = read_recording([BUNDLED])
    assert recording.lines > 1_000
    assert recording.unreadable == []
    assert len({name.split("/")[0] for name in recording.streams}) >= 3


@pytest.mark.parametrize(
    ("app", "arguments", "said"),
    [
        (demo, ["--speed", "fast"], "--speed"),
        (demo, ["--input", "missing.jsonl"], "missing.jsonl"),
        (demo, ["--report", "no/such/folder/out.json"], "no folder"),
        (bench, ["pipeline", "--rate", "0"], "--rate"),
        (bench, ["pipeline", "--duration", "1"], "--duration"),
    ],
)
def test_a_usage_error_is_exit_2_and_starts_nothing(app: object, arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, arguments)  # type: ignore[arg-type]
    assert result.exit_code == 2
    assert said in result.output


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "token").write_text("secret\n")
    return Stack(Endpoints(pulse_home=tmp_path))


def _answering(stack: Stack, answer: httpx.Response | httpx.HTTPError) -> ApiRows:
    def handle(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer secret"
        if isinstance(answer, httpx.HTTPError):
            raise answer
        return answer

    rows = ApiRows(stack)
    rows._client = httpx.Client(base_url="http://api", transport=httpx.MockTransport(handle))
    return rows


def test_rows_are_read_line_by_line(stack: Stack) -> None:
    rows = _answering(stack, httpx.Response(200, content=b'{"a":1}\n{"a":2}\n'))
    assert rows("SELECT 1") == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("answer", [httpx.ConnectError("refused"), httpx.Response(503, text="store is down")])
def test_a_store_that_does_not_answer_is_a_connection_error(
    stack: Stack, answer: httpx.Response | httpx.HTTPError
) -> None:
    with pytest.raises(ConnectionError):
        _answering(stack, answer)("SELECT 1")


def test_a_refused_query_is_no_connection_error(stack: Stack) -> None:
    with pytest.raises(QueryError, match="unknown table"):
        _answering(stack, httpx.Response(400, text="unknown table"))("SELECT 1")


def test_the_link_carries_the_token(stack: Stack) -> None:
    assert page_link(stack) == "http://127.0.0.1:18080/?token=secret"


def test_a_load_generator_that_fails_says_why(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    with (
        LoadProcess("127.0.0.1:9", "r", "bench", [empty], rate=1, channels=1) as load,
        pytest.raises(LoadError, match="no chat line"),
    ):
        load._process.wait()
        load._error_reader.join()
        load.check()
