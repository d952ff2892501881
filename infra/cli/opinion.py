"""`pulse opinion`: a language model's second opinion on lines that the model in service is unsure about."""

import asyncio
import json
import logging
import os
import random
import secrets
import signal
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, NoReturn

import httpx
import msgspec
import typer
from kafka.errors import KafkaError
from prometheus_client import CollectorRegistry
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.markup import escape

from connectors.clickhouse.source import KafkaRowSource
from connectors.core.clock import SystemClock
from connectors.opinion import controls
from connectors.opinion.asking import Asking
from connectors.opinion.endpoint import Endpoint
from connectors.opinion.kafka import KafkaOpinions, consume
from connectors.opinion.limits import Limits
from connectors.opinion.metrics import OpinionMetrics
from connectors.opinion.opinions import Opinions
from connectors.opinion.selection import Thresholds
from connectors.opinion.settings import OpinionSettings
from infra.cli.kafka_access import missing_topics
from infra.cli.listen import serve_metrics
from infra.local import json_logs
from schemas.endpoints import Endpoints
from schemas.topics import ALERTS, OPINIONS, SCORED
from serving.scorer.backend import MODELS
from serving.scorer.settings import CHOICE, Choice, ServeSettings

app = typer.Typer(add_completion=False, no_args_is_help=True)
_errors = Console(stderr=True, highlight=False)
log = logging.getLogger(__name__)

METRICS_PORT_OFFSET: Final = 92
"""Port of /metrics, counted from the stack's first port."""
GROUP: Final = "pulse-opinion"
_NICENESS: Final = 10
"""The stack goes first where cores are few."""


@app.callback()
def main() -> None:
    """Let a large language model give a second opinion on uncertain lines. Off unless you start it.

    CHAT TEXT LEAVES THE STACK: texts, without names and links, go to the endpoint that you configure. Ask
    yourself whether the platform's terms and your viewers permit that; a model on this machine (Ollama, vLLM)
    keeps them here. Author ids, channels and platform ids are never sent.

    Settings are environment variables. Needed: PULSE_OPINION_URL (http://127.0.0.1:11434/v1) and
    PULSE_OPINION_MODEL. PULSE_OPINION_API_KEY is the bearer token, if the endpoint wants one. Which lines,
    how many, how fast: connectors/opinion/README.md lists all of them.
    """


@app.command()
def run(
    metrics_port: Annotated[
        int | None, typer.Option(help="Port of /metrics on 127.0.0.1; 0: none. Default: first port + 92.")
    ] = None,
) -> None:
    """Ask about lines near a decision line, or of streams with an open mood alert, until Ctrl-C.

    Reads chat.scored.v1 behind scoring, which neither waits for it nor changes by it. Equal texts are asked
    once; what exceeds the limits, or comes while the endpoint is down, is dropped and counted. Answers are
    checked strictly and go to pulse.opinions.v1: `pulse sql "SELECT * FROM opinions"` shows both opinions.
    """
    settings, endpoints = _settings(), Endpoints()
    try:
        if missing := missing_topics(endpoints.kafka_bootstrap, [SCORED, ALERTS, OPINIONS]):
            _fail(f"Kafka has no topic {', '.join(missing)}; run `pulse topics apply`")
        json_logs.configure("opinion", people=True)
        os.nice(_NICENESS)
        port = endpoints.pulse_port_base + METRICS_PORT_OFFSET if metrics_port is None else metrics_port
        if port:
            serve_metrics(port)
        asyncio.run(_run(settings, endpoints))
    except (KafkaError, OSError) as error:
        _fail(str(error))


@app.command()
def test() -> None:
    """Ask the endpoint about three made-up lines, no chat, and print what it says, one JSON object a line.

    Exit code 1 where it gives no valid answer, or one that no reader would give (the model is too weak).
    """
    outcome = asyncio.run(_test(_settings()))
    for line in outcome:
        typer.echo(json.dumps(line, ensure_ascii=False))


async def _run(settings: OpinionSettings, endpoints: Endpoints) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    clock, metrics = SystemClock(), OpinionMetrics()
    limits = Limits(clock, settings.requests_per_minute, settings.tokens_per_minute)
    member = f"opinion-{secrets.token_hex(4)}"
    bootstrap = endpoints.kafka_bootstrap
    writer = KafkaOpinions(bootstrap, metrics)
    where = "stays on this machine" if settings.local else "LEAVES THIS MACHINE"
    log.info("chat text %s: %s at %s", where, settings.model, settings.url)
    async with httpx.AsyncClient(follow_redirects=False) as client:
        asking = Asking(Endpoint(settings, client, clock), limits, metrics, clock, settings.attempts)
        opinions = Opinions(
            settings, asking, limits, thresholds(endpoints.pulse_home), writer.publish, metrics, clock
        )
        answering = asyncio.create_task(opinions.run())
        answering.add_done_callback(lambda _: stopping.set())
        try:
            await consume(
                KafkaRowSource(bootstrap, group=GROUP, member=member),
                KafkaRowSource(bootstrap, group=f"{GROUP}-alerts.{member}", member=member),
                opinions.take,
                writer,
                metrics,
                stopping,
            )
        finally:
            answering.cancel()
            (ended,) = await asyncio.gather(answering, return_exceptions=True)
            await asyncio.to_thread(writer.close)
        if isinstance(ended, Exception):
            raise ended


async def _test(settings: OpinionSettings) -> list[dict[str, str | float]]:
    clock, metrics = SystemClock(), OpinionMetrics(CollectorRegistry())
    limits = Limits(clock, settings.requests_per_minute, settings.tokens_per_minute)
    texts = controls.draw(random.SystemRandom())
    async with httpx.AsyncClient(follow_redirects=False) as client:
        asking = Asking(Endpoint(settings, client, clock), limits, metrics, clock, attempts=1)
        outcome = await asking.ask(list(texts.values()))
    if outcome.failure is not None:
        _fail(str(outcome.failure))
    found = dict(zip(texts, map(outcome.figures.get, range(len(texts))), strict=True))
    if not controls.hold({kind: figures for kind, figures in found.items() if figures is not None}):
        _fail(f"it answers, but {settings.model} takes an insult, a thanks and a sarcasm for something else")
    return [{"text": texts[kind], **msgspec.to_builtins(figures)} for kind, figures in found.items()]


class _Config(msgspec.Struct, frozen=True):
    """What is read of a model folder's config.json."""

    name: str
    version: str
    thresholds: dict[str, float] = {}


def thresholds(home: Path) -> Thresholds:
    """Decision lines of the models that may be in service: those shipped, and the one that was chosen."""

    @lru_cache(maxsize=16)
    def of(model: str, version: str) -> Mapping[str, float]:
        chosen = ServeSettings.read(choice=Choice.read(home / CHOICE)).model
        for folder in (MODELS / model, Path(chosen)):
            if not (folder / "config.json").is_file():
                continue
            config = msgspec.json.decode((folder / "config.json").read_bytes(), type=_Config)
            if (config.name, config.version) == (model, version):
                return config.thresholds
        return {}

    return of


def _settings() -> OpinionSettings:
    try:
        settings = OpinionSettings()
    except ValidationError as error:
        # the values stay out: one of them may be the key
        wrong = "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())
        _fail(f"settings PULSE_OPINION_…: {wrong}", 2)
    except SettingsError as error:
        _fail(f"settings PULSE_OPINION_…: {error}", 2)
    if settings.missing:
        _fail(f"it is off: set {' and '.join(settings.missing)}", 2)
    return settings


def _fail(message: str, code: int = 1) -> NoReturn:
    _errors.print(f"[red]opinion:[/red] {escape(message)}", soft_wrap=True)
    raise typer.Exit(code)
