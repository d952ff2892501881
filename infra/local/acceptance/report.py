"""The report of one replayed run: what came through, how exact, how fast, at which cost."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from infra.local.acceptance.backlog import Ends, per_topic
from infra.local.acceptance.exactness import Exactness
from infra.local.acceptance.machine import machine, versions
from infra.local.acceptance.memory import MemorySampler
from infra.local.acceptance.replay_run import ReplayCounts
from infra.local.acceptance.stored import Rows, of_run, quoted
from infra.local.acceptance.visibility import VisibilityProbe, latencies
from infra.local.settings import Stack
from infra.local.state import StackState
from pipelines.flink.settings import JobSettings
from schemas.endpoints import Endpoints

VIEWS: Final = ("messages", "windows", "activity", "alerts", "events", "gaps", "late_rows")
MOST_ALERTS: Final = 500


@dataclass(frozen=True)
class Run:
    """What was replayed."""

    run_id: str
    workspace: str
    files: Sequence[Path]
    speed: float | None
    """None: as fast as Kafka takes it."""
    began: float
    """Wall clock of the command's start, seconds."""


@dataclass(frozen=True)
class Measured:
    """What was seen while it ran."""

    replayed: ReplayCounts
    probe: VisibilityProbe
    memory: MemorySampler
    topics_before: Ends
    topics_after: Ends
    drained_s: float | None
    """Seconds from the end of the replay; None where it did not drain."""
    problem: str = ""


def build_report(
    stack: Stack, state: StackState | None, rows: Rows, run: Run, measured: Measured, exactness: Exactness
) -> dict[str, Any]:
    """Everything as one JSON object; `lost` and `duplicates` are 0 where all is exact."""
    alerts = _alerts(rows, run)
    first = measured.probe.first_window_at
    return {
        "run_id": run.run_id,
        "workspace": run.workspace,
        "input": [str(path) for path in run.files],
        "input_lines": exactness.lines,
        "lost": exactness.lost,
        "duplicates": exactness.duplicates,
        "exact": exactness.exact and not measured.problem,
        "problem": measured.problem,
        "exactness": asdict(exactness),
        "dead_letters": sum(exactness.dead_letters.values()),
        "topics": per_topic(measured.topics_before, measured.topics_after),
        "tables": _tables(rows, run),
        "latency_ms": latencies(rows, measured.probe, workspace=run.workspace, run_id=run.run_id, live=False),
        "alerts": {
            "count": len(alerts),
            "by_kind": dict(Counter(row["kind"] for row in alerts)),
            "list": alerts,
        },
        "start_up_s": _start_up(state),
        "time_to_first_window_s": round(first - run.began, 1) if first else None,
        "replay": {
            "messages": measured.replayed.messages,
            "heartbeats": measured.replayed.heartbeats,
            "dead_letters": measured.replayed.dead_letters,
            "seconds": measured.replayed.seconds,
            "drained_after_s": measured.drained_s,
        },
        "peak_memory_mb": measured.memory.report(),
        "settings": {"speed": run.speed or "max"} | settings(stack),
        "machine": machine(),
        "versions": versions(stack.jars) | _models(rows, run),
    }


def _tables(rows: Rows, run: Run) -> dict[str, int]:
    condition = of_run(run.workspace, run.run_id)
    refused = f"workspace = {quoted(run.workspace)} AND startsWith(dlq_id, {quoted(run.run_id + '/')})"
    conditions: Mapping[str, str] = dict.fromkeys(VIEWS, condition) | {"dead_letters": refused}
    counts = [f"(SELECT count() FROM {view} WHERE {where}) AS {view}" for view, where in conditions.items()]  # noqa: S608
    (row,) = rows("SELECT " + ", ".join(counts))
    return {name: int(count) for name, count in row.items()}


def _alerts(rows: Rows, run: Run) -> list[dict[str, Any]]:
    return rows(
        "SELECT kind, severity, state, stream_id, channel, started_at, detected_at, ended_at, authors, "  # noqa: S608
        f"messages, channels, summary FROM alerts WHERE {of_run(run.workspace, run.run_id)} "
        f"ORDER BY started_at, alert_id LIMIT {MOST_ALERTS}"
    )


def _models(rows: Rows, run: Run) -> dict[str, str]:
    found = rows(
        "SELECT DISTINCT model, model_version FROM messages "  # noqa: S608
        f"WHERE scored AND {of_run(run.workspace, run.run_id)}"
    )
    return {"model": ", ".join(sorted(f"{row['model']} {row['model_version']}" for row in found))}


def _start_up(state: StackState | None) -> dict[str, float | None]:
    if state is None:
        return {}
    parts = {part.name: part.healthy_after_s for part in state.parts.values()}
    return parts | {f"job {job.name}": job.running_after_s for job in state.jobs.values()}


def settings(stack: Stack) -> dict[str, Any]:
    """What the jobs run with, and where the parts are (no password)."""
    jobs = JobSettings().model_dump(mode="json", exclude=set(Endpoints.model_fields))
    return jobs | {
        "kafka": stack.endpoints.kafka_bootstrap,
        "store": stack.endpoints.clickhouse_url.rsplit("@", 1)[-1] or "chDB",
        "scorer": stack.endpoints.scorer_url,
    }
