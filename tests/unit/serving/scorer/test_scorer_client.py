"""The client against a server that misbehaves on purpose."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa
import pytest

from schemas.scoring import REQUEST, SHARE_HEADER
from serving.scorer.client import ARROW, ScorerClient, ScorerRefusedError, ScorerUnavailableError
from serving.scorer.fast import FastScorer

BATCH = pa.RecordBatch.from_pylist(
    [{"id": "1", "text": "hello", "lang": None, "platform": None, "emotes": None}], schema=REQUEST
)


class Misbehaving(ThreadingHTTPServer):
    """Answers each request by the next of `script`: a status, "drop", "garbage", "short" or "good"."""

    daemon_threads = True

    def __init__(self, scorer: FastScorer, script: list[int | str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scorer, self.script, self.calls, self.connections = scorer, script, 0, 0
        self.share, self.paths = "", list[str]()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Misbehaving

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        step = self.server.script[min(self.server.calls, len(self.server.script) - 1)]
        self.server.calls += 1
        self.server.paths.append(self.path)
        if step == "drop":
            self.close_connection = True
            self.connection.close()
            return
        answer, status = self._score(body), 200
        if isinstance(step, int):
            answer, status = b'{"error": "as told"}', step
        elif step == "garbage":
            answer = b"garbage"
        elif step == "short":
            answer = self._score(_stream(BATCH.slice(0, 0)))
        self.send_response(status)
        self.send_header("content-type", ARROW)
        self.send_header("content-length", str(len(answer)))
        if self.server.share:
            self.send_header(SHARE_HEADER, self.server.share)
        self.end_headers()
        self.wfile.write(answer)

    def _score(self, body: bytes) -> bytes:
        with pa.ipc.open_stream(body) as reader:
            table = reader.read_all()
        batches = table.to_batches() or [BATCH.slice(0, 0)]
        return _stream(self.server.scorer.score(batches[0]))

    def log_message(self, format: str, *args: object) -> None:
        pass


def _stream(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


@pytest.fixture
def server(scorer: FastScorer) -> Iterator[Misbehaving]:
    server = Misbehaving(scorer, ["good"])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _client(server: Misbehaving) -> ScorerClient:
    return ScorerClient(f"http://127.0.0.1:{server.server_port}", 5.0, attempts=3, max_wait_s=0.01)


def test_one_connection_serves_many_batches(server: Misbehaving) -> None:
    with _client(server) as client:
        for _ in range(3):
            assert client.score(BATCH)["id"].to_pylist() == ["1"]
    assert (server.calls, server.connections) == (3, 1)


def test_the_share_of_an_ab_test_is_learned_from_answers_and_arm_b_is_asked_by_name(
    server: Misbehaving,
) -> None:
    shares = []
    with _client(server) as client:
        assert client.share_b is None
        for server.share in ("", "0.25", "no number", "0.5", ""):
            client.score(BATCH, "b" if client.share_b else "a")
            shares.append(client.share_b)
    assert shares == [0.0, 0.25, 0.0, 0.5, 0.0]
    assert server.paths == ["/score", "/score", "/score?arm=b", "/score", "/score?arm=b"]


@pytest.mark.parametrize("failure", [503, 500, 429, 404, "drop", "garbage", "short"])
def test_a_passing_failure_is_retried(server: Misbehaving, failure: int | str) -> None:
    server.script = [failure, failure, "good"]
    with _client(server) as client:
        assert client.score(BATCH).num_rows == 1
    assert server.calls == 3


@pytest.mark.parametrize("failure", [503, "drop", "garbage", "short"])
def test_a_lasting_failure_is_unavailable_after_the_attempts(server: Misbehaving, failure: int | str) -> None:
    server.script = [failure]
    with _client(server) as client, pytest.raises(ScorerUnavailableError):
        client.score(BATCH)
    assert server.calls == 3


@pytest.mark.parametrize("status", [413, 415, 422])
def test_a_refused_batch_is_not_sent_again(server: Misbehaving, status: int) -> None:
    server.script = [status]
    with _client(server) as client, pytest.raises(ScorerRefusedError, match="as told"):
        client.score(BATCH)
    assert server.calls == 1


def test_nobody_there_is_unavailable() -> None:
    client = ScorerClient("http://127.0.0.1:1", 1.0, attempts=2, max_wait_s=0.01)
    with client, pytest.raises(ScorerUnavailableError, match="ConnectionRefusedError"):
        client.score(BATCH)
