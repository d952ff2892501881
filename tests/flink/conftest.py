"""A real Kafka and Flink cluster of its own, and a scorer that counts what it is asked."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from kafka import KafkaConsumer, KafkaProducer

from infra.local.control import StartOptions, start, stop
from infra.local.parts.flink import flink_environment
from infra.local.settings import ROOT, Stack
from schemas.codecs import record_key
from schemas.endpoints import Endpoints
from schemas.labels import BASIC, EMOTIONS
from schemas.scoring import RESPONSE

PORT_BASE = 24_000
WAIT_S = 120.0


@dataclass
class CountingScorer:
    """Answers the model call with figures made from the id, and counts how often each id was asked for."""

    calls: Counter[str] = field(default_factory=Counter)
    down: bool = False

    def answer(self, body: bytes) -> bytes:
        with pa.ipc.open_stream(body) as reader:
            ids = reader.read_all().column("id").to_pylist()
        self.calls.update(ids)
        scores = np.stack([self.figures(id_) for id_ in ids]) if ids else np.empty((0, 39), np.float32)
        columns = [
            pa.array(ids),
            _lists(scores[:, : len(EMOTIONS)]),
            _lists(scores[:, len(EMOTIONS) : len(EMOTIONS) + len(BASIC)]),
            *(pa.array(scores[:, -4 + place]) for place in range(4)),
            pa.array(["en"] * len(ids)),
            pa.array([id_.endswith("abstain") for id_ in ids]),
        ]
        schema = RESPONSE.with_metadata({"model": "counting", "model_version": "1"})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema) as writer:
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
        return sink.getvalue().to_pybytes()

    @staticmethod
    def figures(id_: str) -> np.ndarray:
        return np.random.default_rng(list(id_.encode())).random(len(EMOTIONS) + len(BASIC) + 4, np.float32)


@dataclass(frozen=True)
class Cluster:
    """Kafka and Flink with both jobs running."""

    stack: Stack
    scorer: CountingScorer

    def produce(self, topic: str, channel: str, values: list[bytes | None]) -> None:
        producer = KafkaProducer(
            bootstrap_servers=self.stack.endpoints.kafka_bootstrap, acks="all", max_request_size=8_000_000
        )
        for value in values:
            producer.send(topic, value, key=record_key("default", channel))
        producer.flush()
        producer.close()

    def read(self, topic: str, done: Callable[[list[bytes]], bool]) -> list[bytes]:
        """The values of a topic from its beginning, as soon as `done` of them."""
        consumer = KafkaConsumer(
            topic,
            bootstrap_servers=self.stack.endpoints.kafka_bootstrap,
            auto_offset_reset="earliest",
            fetch_max_bytes=32_000_000,
        )
        values: list[bytes] = []
        deadline = time.monotonic() + WAIT_S
        try:
            while not done(values):
                assert time.monotonic() < deadline, f"{topic}: {len(values)} records after {WAIT_S} s"
                for records in consumer.poll(timeout_ms=500).values():
                    values += [record.value for record in records]
        finally:
            consumer.close()
        return values


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("flink-home")
    stack = Stack(Endpoints(pulse_home=home, pulse_port_base=PORT_BASE))
    scorer = CountingScorer()
    server = _serve(scorer, PORT_BASE)
    start(stack, StartOptions(only=("kafka", "flink", "topics")), lambda _state: None)
    try:
        submit(stack, "score", "detect")
        yield Cluster(stack, scorer)
    finally:
        stop(stack)
        server.should_exit = True


def submit(stack: Stack, *jobs: str) -> dict[str, str]:
    """Submit jobs as the supervisor does; returns their ids by name."""
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.flink.submit", *jobs],
        env=os.environ | stack.environment() | flink_environment(stack) | {"PULSE_SCORE_TIMEOUT_S": "60"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {row["job"]: row["id"] for row in rows}


def _serve(scorer: CountingScorer, port: int) -> uvicorn.Server:
    app = FastAPI()

    @app.post("/score")
    async def score(request: Request) -> Response:
        if scorer.down:
            return Response("down on purpose", status_code=503)
        return Response(scorer.answer(await request.body()), media_type="application/vnd.apache.arrow.stream")

    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
    return server


def _lists(matrix: np.ndarray) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), matrix.shape[1])
