"""`pulse shadow`: a candidate model beside the one in service, on a sample of the live chat."""

import logging
import os
import signal
import time
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, Any, Final, NoReturn

import msgspec
import typer
from confluent_kafka import KafkaError, KafkaException, Producer
from kafka.errors import KafkaError as ClientError

from connectors.clickhouse.routes import Row
from connectors.clickhouse.source import CommitRefusedError, KafkaRowSource
from infra.cli.kafka_access import missing_topics
from pipelines.core.sampling import sampled
from schemas.codecs import encode, record_key
from schemas.endpoints import Endpoints
from schemas.records import ScoredMessage
from schemas.topics import SCORED, SHADOW
from serving.scorer.backend import DeviceUnavailableError, ModelNotFoundError, Scorer, load_scorer
from serving.shadow.compare import Summary, differences

app = typer.Typer(add_completion=False)
log = logging.getLogger(__name__)
BATCH_ROWS: Final = 2_000
POLL_S: Final = 0.5
FLUSH_S: Final = 30.0
_NICENESS: Final = 10
"""The stack goes first where cores are few."""


@app.command()
def shadow(
    model: Annotated[str, typer.Argument(help="The candidate: model name, model folder, or hf:….")],
    share: Annotated[float, typer.Option(help="Share of the lines to compare.", min=0.0001, max=1.0)] = 0.05,
    device: Annotated[str, typer.Option(help="Where the candidate computes: cpu or cuda.")] = "cpu",
    lines: Annotated[
        int | None, typer.Option(help="End after so many compared lines; default: at Ctrl-C.", min=1)
    ] = None,
) -> None:
    """Let a candidate score a sample of the lines that the model in service scores; it decides nothing.

    Reads chat.scored.v1 from where it stopped last (the first time: all that the topic still holds), scores
    the sample in this process, at low priority, and writes both models' figures, without the text, to
    pulse.shadow.v1. Scoring never waits for it. At the end prints one JSON object: how far each
    figure moves and how many decisions change. Then `pulse model use` puts the candidate into service.
    """
    endpoints = Endpoints()
    try:
        if missing_topics(endpoints.kafka_bootstrap, [SCORED, SHADOW]):
            _fail(f"Kafka lacks {SCORED} or {SHADOW}; run `pulse topics apply`")
        candidate = load_scorer(model, device)
    except (ModelNotFoundError, DeviceUnavailableError, ClientError, OSError) as error:
        _fail(str(error))
    os.nice(_NICENESS)
    summary = Summary()
    source = KafkaRowSource(
        endpoints.kafka_bootstrap, group=f"pulse-shadow.{candidate.name}", member="shadow-1"
    )
    try:
        _run(source, endpoints.kafka_bootstrap, candidate, share, lines, summary)
    except KafkaException as error:
        _fail(f"Kafka did not take a difference: {error}")
    finally:
        source.close()
    typer.echo(msgspec.json.encode(summary.values()).decode())


def _run(
    source: KafkaRowSource,
    bootstrap: str,
    candidate: Scorer,
    share: float,
    most: int | None,
    summary: Summary,
) -> None:
    stopped = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    producer = _producer(bootstrap)
    compared = 0
    source.subscribe([SCORED], lambda: None)
    while not stopped and (most is None or compared < most):
        rows = source.poll(BATCH_ROWS, POLL_S)
        compared += compare_rows(rows, candidate, share, producer, summary)
        if rows:
            try:
                source.commit({(row.topic, row.partition): row.offset + 1 for row in rows})
            except CommitRefusedError as error:
                log.warning("compared lines may come again: %s", error)


def compare_rows(
    rows: Sequence[Row], candidate: Scorer, share: float, producer: Any, summary: Summary
) -> int:
    """Compare the sampled lines of some records and write the differences; returns how many there were.

    Raises:
        KafkaException: If a difference was not acknowledged.
    """
    decoder = msgspec.json.Decoder(ScoredMessage)
    chosen = []
    for row in rows:
        try:
            message = decoder.decode(row.value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            summary.unreadable += 1
            continue
        if sampled(message.message_id, share):
            chosen.append(message)
    found = differences(candidate, chosen, share, time.time_ns() // 1_000_000)
    failures: list[KafkaError] = []

    def delivered(error: KafkaError | None, _message: Any) -> None:
        if error is not None:
            failures.append(error)

    for difference in found:
        summary.add(difference)
        key = record_key(difference.workspace, difference.channel)
        producer.produce(SHADOW, value=encode(difference), key=key, on_delivery=delivered)
    if found and (producer.flush(FLUSH_S) or failures):
        raise KafkaException(failures[0] if failures else KafkaError(KafkaError._TIMED_OUT))
    return len(found)


def _producer(bootstrap: str) -> Producer:
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",
            "linger.ms": 20,
            "compression.type": "lz4",
        }
    )


def _fail(message: str) -> NoReturn:
    typer.echo(f"pulse shadow: {message}", err=True)
    raise typer.Exit(1)
