"""`pulse opinion run` beside the stack: opinions reach the store, an endpoint that hangs costs nothing."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from confluent_kafka import Producer

from connectors.core.kafka_producer import producer_config
from infra.cli.opinion import METRICS_PORT_OFFSET
from infra.local.acceptance.api_rows import ApiRows
from infra.local.settings import Stack
from schemas.codecs import encode, record_key
from schemas.records import ChatMessage
from schemas.topics import MESSAGES
from tests.integration.commands import PULSE
from tests.integration.victims import wait_for
from tests.unit.connectors.opinion.fake_llm import FakeLlm, threaded

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

KEY = "sk-a-very-secret-key"
LINES = 40


@contextmanager
def _running(llm: FakeLlm, **settings: str) -> Iterator[subprocess.Popen[str]]:
    names = {
        "url": llm.base,
        "model": "tiny",
        "api_key": KEY,
        "share": "1",
        "sentiment_margin": "1",
    } | settings
    environment = os.environ | {f"PULSE_OPINION_{name.upper()}": value for name, value in names.items()}
    process = subprocess.Popen(
        [PULSE, "opinion", "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


def _stop(process: subprocess.Popen[str]) -> str:
    """What it printed until it ended in order."""
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0, printed[-3_000:]
    return printed


def _send(stack: Stack, run: str) -> None:
    producer = Producer(producer_config(stack.endpoints.kafka_bootstrap))
    now = time.time_ns() // 1_000_000
    for number in range(LINES):
        message = ChatMessage(
            channel=f"twitch:{run}",
            stream_id=f"{run}/live",
            message_id=f"{run}-{number}",
            kind="message",
            sent_at=now + number,
            received_at=now,
            expires_at=now + 3_600_000,
            author="t.somebody",
            text=f"such a lovely evening with take {number}",
        )
        producer.produce(MESSAGES, encode(message), record_key("default", message.channel))
    assert producer.flush(30) == 0


def _count(stack: Stack, view: str, run: str, condition: str = "1") -> int:
    sql = f"SELECT count() AS n FROM {view} WHERE stream_id = '{run}/live' AND {condition}"
    (row,) = ApiRows(stack)(sql)
    return int(row["n"])


def _metrics(stack: Stack) -> str:
    port = stack.endpoints.pulse_port_base + METRICS_PORT_OFFSET
    return httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text


def test_opinions_stand_beside_the_scores(stack: Stack) -> None:
    run, llm = f"o{uuid4().hex[:8]}", FakeLlm()
    with threaded(llm), _running(llm) as process:
        wait_for(lambda: "pulse_opinion_degraded 0.0" in _metrics(stack), "the process's metrics")
        _send(stack, run)
        wait_for(lambda: _count(stack, "opinions", run) == LINES, "all opinions")
        printed = _stop(process)
    rows: list[dict[str, Any]] = ApiRows(stack)(
        f"SELECT text, opinion_sentiment, opinion_model FROM opinions WHERE stream_id = '{run}/live'"
    )
    assert all(row["text"].startswith("such a lovely") for row in rows)
    assert {(row["opinion_sentiment"], row["opinion_model"]) for row in rows} == {(-0.5, "tiny")}
    assert _count(stack, "messages", run, "scored") == LINES
    assert KEY not in printed
    assert "lovely" not in printed
    assert "stays on this machine" in printed


def test_scoring_does_not_notice_an_endpoint_that_hangs(stack: Stack) -> None:
    run, llm = f"o{uuid4().hex[:8]}", FakeLlm()
    llm.script = ["hang"] * 1_000
    with threaded(llm), _running(llm, timeout_s="0.5", attempts="1", max_waiting="10") as process:
        wait_for(lambda: "pulse_opinion_degraded 0.0" in _metrics(stack), "the process's metrics")
        _send(stack, run)
        wait_for(lambda: _count(stack, "messages", run, "scored") == LINES, "all scores")
        wait_for(lambda: "pulse_opinion_degraded 1.0" in _metrics(stack), "the degraded state")
        _stop(process)
    assert _count(stack, "opinions", run) == 0
