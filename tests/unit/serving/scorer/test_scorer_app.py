"""The HTTP side without Ray: Arrow and JSON, and what malformed requests get."""

import json

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from schemas.scoring import REQUEST, RESPONSE
from serving.scorer.app import ScoringService, build_app
from serving.scorer.client import ARROW
from serving.scorer.model_slot import ModelSlot
from serving.scorer.settings import BatchKnobs
from serving.scorer.trial import Trial

JSON = {"content-type": "application/json"}


@pytest.fixture
def service(slot: ModelSlot) -> ScoringService:
    return ScoringService(slot, BatchKnobs(max_rows=20, chunk_rows=3), Trial(lambda model: slot.scorer))


@pytest.fixture
def http(service: ScoringService) -> TestClient:
    return TestClient(build_app(service))


def _stream(rows: int) -> bytes:
    batch = pa.RecordBatch.from_pylist(
        [
            {"id": str(i), "text": f"hello {i}", "lang": None, "platform": None, "emotes": None}
            for i in range(rows)
        ],
        schema=REQUEST,
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, REQUEST) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("rows", [0, 1, 3, 10])
def test_arrow_in_arrow_out(http: TestClient, rows: int) -> None:
    answer = http.post("/score", content=_stream(rows), headers={"content-type": ARROW})
    assert answer.status_code == 200
    table = pa.ipc.open_stream(answer.content).read_all()
    assert table.schema.equals(RESPONSE)
    assert table["id"].to_pylist() == [str(i) for i in range(rows)]
    assert table.schema.metadata[b"model"] == b"stub"


@pytest.mark.parametrize(
    "body", [{"id": "a", "text": "hi"}, [{"id": "a", "text": "hi"}], {"rows": [{"id": "a", "text": "hi"}]}]
)
def test_json_in_json_out(http: TestClient, body: object) -> None:
    answer = http.post("/score", json=body)
    assert answer.status_code == 200
    assert (answer.json()["model"], answer.json()["model_version"]) == ("stub", "0")
    row = answer.json()["rows"][0]
    assert row["id"] == "a"
    assert set(row["basic"]) == {"joy", "sadness", "anger", "fear", "surprise", "disgust", "neutral"}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"garbage", {"content-type": ARROW}, 422),
        (b"", {"content-type": ARROW}, 422),
        (_stream(3)[:-40], {"content-type": ARROW}, 422),
        (b"{", JSON, 422),
        (b"3", JSON, 422),
        (b'{"rows": [1]}', JSON, 422),
        (b'{"id": "a"}', JSON, 422),
        (b'{"id": "a", "text": 3}', JSON, 422),
        (b'{"id": "a", "text": "x", "emotes": "y"}', JSON, 422),
        (b'{"id": "a", "text": "\\ud800"}', JSON, 422),
        (b"[" * 100_000, JSON, 422),
        (json.dumps([{"id": "a", "text": "x"}] * 21).encode(), JSON, 413),
        (_stream(21), {"content-type": ARROW}, 413),
        (b"x", {"content-type": "text/plain"}, 415),
        (b"x", {}, 415),
    ],
)
def test_malformed_requests_get_a_reason(
    http: TestClient, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = http.post("/score", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert http.post("/score", json={"id": "a", "text": "still alive"}).status_code == 200


def test_too_many_bytes_are_refused_before_they_are_read_whole(service: ScoringService) -> None:
    service.knobs = BatchKnobs(max_body_bytes=10)
    answer = TestClient(build_app(service)).post("/score", content=b"x" * 11, headers=JSON)
    assert answer.status_code == 413


def test_a_corrupt_stream_never_reaches_the_model(http: TestClient) -> None:
    good = _stream(5)
    for position in range(0, len(good), 7):
        bad = good[:position] + bytes([good[position] ^ 0xFF]) + good[position + 1 :]
        answer = http.post("/score", content=bad, headers={"content-type": ARROW})
        assert answer.status_code in (200, 413, 422)


def test_health_and_info(http: TestClient) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    info = http.get("/info").json()
    assert (info["model"], info["model_version"], info["loading"]) == ("stub", "0", False)


def test_metrics_count_lines_and_requests_by_outcome(http: TestClient) -> None:
    http.post("/score", content=_stream(4), headers={"content-type": ARROW})
    http.post("/score", content=b"no arrow", headers={"content-type": ARROW})
    page = http.get("/metrics").text
    assert 'pulse_scorer_lines_total{arm="a"} 4.0' in page
    for outcome in ("scored", "refused"):
        assert f'pulse_scorer_requests_total{{outcome="{outcome}"}} 1.0' in page
    assert "pulse_scorer_request_seconds_count 2.0" in page
