"""The score job's model calls while an A/B test by stream runs, and without one."""

from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa
import pytest

from pipelines.core.arms import in_arm_b
from pipelines.flink.udf import ScoreRecords
from schemas.codecs import encode
from schemas.labels import BASIC, EMOTIONS
from schemas.records import ScoredMessage
from schemas.scoring import RESPONSE, Arm
from serving.scorer.client import ScorerRefusedError
from tests.fixtures.store import NOW_MS, line


class FakeClient:
    """Answers as the arm's model; `share` is what its answers say."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.share_b: float | None = None
        self.calls: list[tuple[Arm, int]] = []
        self.refused = ""

    def score(self, batch: pa.RecordBatch, arm: Arm = "a") -> pa.RecordBatch:
        if self.refused and self.refused in batch["id"].to_pylist():
            raise ScorerRefusedError("status 422")
        self.calls.append((arm, batch.num_rows))
        self.share_b = self.share
        rows = [
            {"id": id_, "emotions": [0.0] * len(EMOTIONS), "basic": [0.0] * len(BASIC), "abstained": False}
            | dict.fromkeys(("sentiment", "toxicity", "hate", "sarcasm"), 0.0)
            for id_ in batch["id"].to_pylist()
        ]
        answer = pa.RecordBatch.from_pylist(rows, schema=RESPONSE)
        return answer.replace_schema_metadata({"model": f"model-{arm}", "model_version": "1"})


def _eval(client: FakeClient, streams: list[str]) -> list[Any]:
    """The model of each line by its stream, None for a dead letter."""
    function = ScoreRecords("http://127.0.0.1:1", 1.0, 60_000)
    function._client = client  # type: ignore[assignment]
    raw = [encode(line("default", f"m{at}", stream_id=stream)) for at, stream in enumerate(streams)]
    numbers = pd.Series([0] * len(raw))
    frame = function.eval(pd.Series(raw), numbers, numbers, pd.Series([NOW_MS] * len(raw)), numbers)
    payloads = zip(frame["payload"], frame["dead"], strict=True)
    return [None if dead else msgspec.json.decode(payload, type=ScoredMessage) for payload, dead in payloads]


STREAMS = [f"s{number}" for number in range(40)]
IN_B = in_arm_b([("default", stream) for stream in STREAMS], 0.5)


def test_without_a_test_a_batch_is_one_call() -> None:
    client = FakeClient(0.0)
    for _ in range(2):
        assert {message.model for message in _eval(client, STREAMS)} == {"model-a"}
    assert client.calls == [("a", 0), ("a", 40), ("a", 40)]


def test_each_stream_has_its_arm_from_the_first_batch_on_and_rows_keep_their_places() -> None:
    client = FakeClient(0.5)
    messages = _eval(client, STREAMS)
    assert [message.stream_id for message in messages] == STREAMS
    assert [message.model == "model-b" for message in messages] == IN_B
    assert client.calls == [("a", 0), ("a", 40 - sum(IN_B)), ("b", sum(IN_B))]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_an_arm_without_lines_is_not_called(share: float) -> None:
    client = FakeClient(share)
    _eval(client, STREAMS)
    assert len(client.calls) == 2


def test_a_line_that_one_arm_refuses_is_a_dead_letter_alone() -> None:
    client = FakeClient(0.5)
    client.refused = f"m{IN_B.index(True)}"
    messages = _eval(client, STREAMS)
    assert [at for at, message in enumerate(messages) if message is None] == [IN_B.index(True)]
    assert [m.model == "model-b" for m in messages if m] == [
        b for m, b in zip(messages, IN_B, strict=True) if m
    ]


def test_a_batch_without_readable_lines_calls_nobody() -> None:
    client = FakeClient(0.5)
    assert _eval(client, []) == []
    assert client.calls == []
