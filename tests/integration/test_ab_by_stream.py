"""An A/B test by stream on the running stack: each stream's scores come from the model of its arm."""

import json
import shutil
import time
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from connectors.core.kafka_producer import producer_config
from infra.local.acceptance.api_rows import ApiRows
from infra.local.settings import Stack
from pipelines.core.arms import in_arm_b
from schemas.codecs import encode, record_key
from schemas.records import ChatMessage
from schemas.topics import MESSAGES
from serving.scorer.backend import model_folder
from tests.integration.commands import pulse
from tests.integration.victims import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

STREAMS = 30
LINES = 3


def _send(stack: Stack, run: str, batch: int) -> None:
    producer = Producer(producer_config(stack.endpoints.kafka_bootstrap))
    now = time.time_ns() // 1_000_000
    for number in range(STREAMS * LINES):
        stream = f"{run}/{number % STREAMS}"
        message = ChatMessage(
            channel=f"twitch:{run}{number % STREAMS}",
            stream_id=stream,
            message_id=f"{stream}-{batch}-{number}",
            kind="message",
            sent_at=now + number,
            received_at=now,
            expires_at=now + 3_600_000,
            author="t.somebody",
            text=f"such a lovely evening with take {number}",
        )
        producer.produce(MESSAGES, encode(message), record_key("default", message.channel))
    assert producer.flush(30) == 0


def _models(stack: Stack, run: str, batch: int) -> dict[str, set[str]]:
    """The models that scored each stream's lines, once all lines are there."""

    def rows() -> list[dict[str, str]] | None:
        found = ApiRows(stack)(
            "SELECT stream_id, model_version FROM messages"
            f" WHERE startsWith(stream_id, '{run}/') AND message_id LIKE '%-{batch}-%' AND scored"
        )
        return found if len(found) == STREAMS * LINES else None

    models: dict[str, set[str]] = {}
    for row in wait_for(rows, f"{STREAMS * LINES} scored lines"):
        models.setdefault(row["stream_id"], set()).add(row["model_version"])
    return models


def test_streams_keep_their_model_while_an_ab_test_runs(stack: Stack, tmp_path: Path) -> None:
    shipped = json.loads((model_folder("fast") / "config.json").read_text())["version"]
    candidate = tmp_path / "candidate"
    shutil.copytree(model_folder("fast"), candidate)
    config = json.loads((candidate / "config.json").read_text())
    (candidate / "config.json").write_text(json.dumps(config | {"version": "9.9"}))
    run = f"ab{uuid4().hex[:8]}"
    names = [f"{run}/{number}" for number in range(STREAMS)]
    arms = in_arm_b([("default", name) for name in names], 0.5)
    split = {name: {"9.9"} if b else {shipped} for name, b in zip(names, arms, strict=True)}
    try:
        begun = pulse("model", "ab", candidate, "--share", "0.5")
        assert (begun.returncode, begun.stdout) == (0, "fast 9.9 scores 50.0% of the streams\n"), begun.stderr
        _send(stack, run, 0)  # whoever has scored before learns of the test from the answer to this batch
        _models(stack, run, 0)
        _send(stack, run, 1)
        assert _models(stack, run, 1) == split
        assert pulse("model", "ab", "--off").stdout == "off\n"
        _send(stack, run, 2)
        assert _models(stack, run, 2) == {name: {shipped} for name in names}
    finally:
        (stack.home / "scorer.yaml").unlink(missing_ok=True)
