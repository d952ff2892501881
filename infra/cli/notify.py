"""`pulse notify`: tell people of alerts, by webhook and Telegram."""

import asyncio
import fcntl
import json
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from kafka.errors import KafkaError
from prometheus_client import start_http_server
from rich.console import Console
from rich.markup import escape

from connectors.clickhouse.source import KafkaRowSource
from connectors.core.clock import SystemClock
from connectors.notify.config import NotifyConfig, NotifyConfigError, load_config, secrets_of
from connectors.notify.message import PermanentError, TemporaryError, compose
from connectors.notify.metrics import NotifyMetrics
from connectors.notify.mutes import ApiMutes
from connectors.notify.notifier import Notifier
from connectors.notify.outbox import Due, Outbox
from connectors.notify.senders import open_senders
from infra.cli.dlq import escaped
from infra.cli.kafka_access import missing_topics
from infra.local import json_logs
from schemas.endpoints import Endpoints
from schemas.records import Alert
from schemas.topics import ALERTS
from serving.api.auth import known_token

app = typer.Typer(add_completion=False, no_args_is_help=True)
_errors = Console(stderr=True, highlight=False)
METRICS_PORT_OFFSET = 90
"""Port of the notifier's /metrics, counted from the stack's first port."""

ConfigOption = Annotated[
    Path,
    typer.Option("--config", envvar="PULSE_NOTIFY_CONFIG", help="Targets and rules.", dir_okay=False),
]


class Format(StrEnum):
    """How a list is printed."""

    TABLE = "table"
    JSON = "json"


@app.callback()
def main() -> None:
    """Tell people of alerts: webhooks and Telegram, by the rules in notify.yaml.

    connectors/notify/notify.example.yaml shows a configuration, connectors/notify/README.md the payloads.
    """


@app.command()
def run(
    config: ConfigOption = Path("notify.yaml"),
    metrics_port: Annotated[
        int | None, typer.Option(help="Port of /metrics on 127.0.0.1; 0: none. Default: first port + 90.")
    ] = None,
) -> None:
    """Read alerts from Kafka and send messages until Ctrl-C.

    What is owed lies on disk under PULSE_HOME/notify before Kafka's offset is committed: a restart loses
    nothing and tells nothing twice.
    """
    endpoints = Endpoints()
    try:
        chosen = load_config(config)
        secrets = secrets_of(chosen)
        if missing_topics(endpoints.kafka_bootstrap, [ALERTS]):
            raise LookupError(f"Kafka has no topic {ALERTS}; run `pulse topics apply`")
        json_logs.configure("notifier", people=True)
        port = endpoints.pulse_port_base + METRICS_PORT_OFFSET if metrics_port is None else metrics_port
        with _only_one(_folder(endpoints)):
            if port:
                _export_metrics(port)
            asyncio.run(_run(chosen, secrets, endpoints))
    except ExceptionGroup as group:
        logging.getLogger(__name__).exception("the notifier failed; what is owed stays owed")
        _fail(group.exceptions[0])
    except (NotifyConfigError, KafkaError, OSError, LookupError) as error:
        _fail(error)


@app.command()
def check(config: ConfigOption = Path("notify.yaml")) -> None:
    """Say what is wrong with the configuration, or what it does; sends nothing."""
    chosen = _load(config)
    for rule in chosen.rules:
        quiet = rule.quiet
        hours = f", quiet {quiet.begin:%H:%M} to {quiet.end:%H:%M} {quiet.timezone}" if quiet else ""
        kinds, channels, targets = (", ".join(names) for names in (rule.kinds, rule.channels, rule.to))
        which = f"{kinds} from {rule.severity} on, channels {channels} of {rule.workspace}"
        typer.echo(f"{rule.name}: {which} → {targets}{hours}")


@app.command()
def test(
    config: ConfigOption = Path("notify.yaml"),
    target: Annotated[str | None, typer.Option(help="Only this target.")] = None,
) -> None:
    """Send one test message to each target, now, quiet hours or not; one JSON object a line says how it went.

    One attempt each, without retries. Exit code 1 where a target did not take it.
    """
    endpoints = Endpoints()
    chosen = _load(config)
    names = [each.name for each in chosen.targets]
    if target is not None and target not in names:
        raise typer.BadParameter(f"no target `{target}`; there are {', '.join(names)}", param_hint="--target")
    if target is not None:
        only = tuple(each for each in chosen.targets if each.name == target)
        chosen = chosen.model_copy(update={"targets": only})
    try:
        secrets = secrets_of(chosen)
    except NotifyConfigError as error:
        _fail(error)
    outcomes = asyncio.run(_test(chosen, secrets, endpoints))
    for outcome in outcomes:
        typer.echo(json.dumps(outcome, ensure_ascii=False))
    if not all(outcome["sent"] for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def dead(
    output: Annotated[
        Format, typer.Option("--format", help="`json` prints one object a line.")
    ] = Format.TABLE,
) -> None:
    """Show alerts that were given up, and records that were no alerts: id, target, reason, bytes."""
    outbox = _outbox(Endpoints())
    for item in outbox.dead():
        if output is Format.JSON:
            shown = item._asdict() | {"record": item.record.decode("utf-8", "backslashreplace")}
            typer.echo(json.dumps(shown, ensure_ascii=False))
        else:
            typer.echo(f"{item.id}\t{item.target or '-'}\t{item.reason}\t{escaped(item.record, 120)}")
    outbox.close()


@app.command()
def retry(
    ids: Annotated[list[str] | None, typer.Option("--id", help="This one; may be repeated.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Owe given-up alerts again; a running notifier sends them within seconds, else the next one does."""
    if not (ids or everything):
        raise typer.BadParameter("say which: --id ID or --all")
    outbox = _outbox(Endpoints())
    count = outbox.retry(None if everything else ids, SystemClock().now_ms())
    outbox.close()
    typer.echo(count)
    if ids and count < len(set(ids)):
        _fail(LookupError("some ids are no given-up alerts; see `pulse notify dead`"))


async def _run(config: NotifyConfig, secrets: dict[str, str], endpoints: Endpoints) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    outbox = _outbox(endpoints)
    clock = SystemClock()
    async with open_senders(config, secrets, config.page_url or endpoints.api_url, clock) as senders:
        metrics = NotifyMetrics()
        token = known_token(endpoints.pulse_home / "run" / "token") or ""
        mutes = ApiMutes(endpoints.api_url, token, clock, metrics)
        notifier = Notifier(config, senders, outbox, clock, metrics, mutes)
        source = KafkaRowSource(endpoints.kafka_bootstrap, group="pulse-notify", member="notify-1")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(notifier.run(stopping))
            tasks.create_task(notifier.consume(source, stopping))
    outbox.close()


async def _test(
    config: NotifyConfig, secrets: dict[str, str], endpoints: Endpoints
) -> list[dict[str, str | bool | float]]:
    outcomes: list[dict[str, str | bool | float]] = []
    clock = SystemClock()
    async with open_senders(config, secrets, config.page_url or endpoints.api_url, clock) as senders:
        for name, sender in senders.items():
            began = time.monotonic()
            detail = ""
            try:
                await sender.send(compose(name, "test", [sample_alert(clock.now_ms())]))
            except (TemporaryError, PermanentError) as error:
                detail = str(error)
            took = round(time.monotonic() - began, 3)
            outcomes.append({"target": name, "sent": not detail, "detail": detail, "seconds": took})
    return outcomes


def sample_alert(now_ms: int) -> Due:
    """An alert that cannot be mistaken for a real one."""
    alert = Alert(
        channel="simulator:test",
        stream_id="simulator:test/notify",
        alert_id=f"test-{now_ms}",
        revision=1,
        kind="mention",
        severity="info",
        state="open",
        started_at=now_ms,
        detected_at=now_ms,
        ended_at=None,
        why={"summary": "This is a test message of Pulse; nothing happened."},
        channels=("simulator:test/notify",),
    )
    return Due(0, "open", now_ms, now_ms, False, alert)


def _load(path: Path) -> NotifyConfig:
    try:
        return load_config(path)
    except NotifyConfigError as error:
        _fail(error)


def _folder(endpoints: Endpoints) -> Path:
    return endpoints.pulse_home.expanduser().resolve() / "notify"


def _outbox(endpoints: Endpoints) -> Outbox:
    return Outbox(_folder(endpoints) / "outbox.sqlite3")


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two notifiers on one outbox would tell everything twice."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LookupError(f"another notifier runs on {folder}; end that one first") from None
        yield


def _export_metrics(port: int) -> None:
    try:
        start_http_server(port, addr="127.0.0.1")
    except OSError as error:
        raise OSError(
            f"/metrics cannot listen on port {port} ({error.strerror}); see --metrics-port"
        ) from None


def _fail(error: Exception) -> NoReturn:
    _errors.print(f"[red]notify:[/red] {escape(str(error))}", soft_wrap=True)
    raise typer.Exit(1) from None
