"""The pipeline under load: latency at a modest rate, then the rate that it sustains."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.local import control
from infra.local.acceptance.api_rows import ApiRows
from infra.local.acceptance.backlog import Backlog
from infra.local.acceptance.drain import StalledError, wait_until_drained
from infra.local.acceptance.flow import FlowReader
from infra.local.acceptance.load_process import LoadProcess
from infra.local.acceptance.machine import machine, versions
from infra.local.acceptance.memory import MemorySampler
from infra.local.acceptance.page_reader import PageReader
from infra.local.acceptance.positions import Positions
from infra.local.acceptance.rate_search import RateSearch, slope_per_s
from infra.local.acceptance.report import settings
from infra.local.acceptance.stored import Rows, of_run, quoted
from infra.local.acceptance.visibility import VisibilityProbe, latencies
from infra.local.settings import Stack
from infra.local.supervisor import memory

WORKSPACE: Final = "bench"
LATENCY_RATE: Final = 2_000.0
"""Messages a second at which the latencies of the figures table are taken."""
WARM_UP_S: Final = 60.0
WARM_UP_RATE: Final = 4_000.0
"""Load before anything is measured: the JVMs compile their hot paths in the first minutes of work."""
SEARCH_FROM: Final = 4_000.0
SEARCH_STEP_S: Final = 6.0
STALL_S: Final = 120.0


@dataclass(frozen=True)
class Load:
    """One phase: its messages go into a workspace of their own.

    Attributes:
        rate: Messages a second.
        seconds: How long the load lasts.
        probe_share: Share of the time in which the store may be asked what is queryable.
    """

    name: str
    workspace: str
    rate: float
    seconds: float
    probe_share: float = 0.02


@dataclass
class Series:
    """Counts once a second while a load lasts."""

    seconds: list[float] = field(default_factory=list)
    backlog: list[float] = field(default_factory=list)


class Bench:
    """Runs phases on a stack that is up.

    Args:
        stack: the running stack.
        texts: recordings whose texts are sent.
        channels: streams that run side by side.
        say: told what happens, for people.
    """

    def __init__(
        self, stack: Stack, texts: Sequence[Path], *, run_id: str, channels: int, say: Callable[[str], None]
    ) -> None:
        self._stack, self._texts, self._run_id = stack, texts, run_id
        self._channels, self._say = channels, say
        self._rows: Rows = ApiRows(stack)
        self._backlog = Backlog(stack.endpoints.kafka_bootstrap)

    def run(self, *, seconds: float, rate: float | None) -> dict[str, Any]:
        """Warm-up, latency phase, search where there is no rate, then the sustained phase; one JSON object.

        Raises:
            LoadError: the load generator failed.
            ConnectionError: Kafka or the API does not answer.
        """
        with MemorySampler(self._memory) as sampler:
            self._phase(Load("warm-up", f"{WORKSPACE}-warm-up", WARM_UP_RATE, WARM_UP_S))
            short = min(60.0, max(15.0, seconds / 5))
            latency = self._phase(Load("latency", f"{WORKSPACE}-latency", LATENCY_RATE, short, 0.3))
            if rate is None:
                rate = self._search(min(120.0, max(36.0, seconds / 4)))
            sustained = self._phase(Load("sustained", WORKSPACE, rate, seconds))
            peak = sampler.report()
        return {
            "bench": "pipeline",
            "run_id": self._run_id,
            "workspace": WORKSPACE,
            **sustained,
            f"latency_ms_at_{LATENCY_RATE:.0f}": latency["latency_ms"],
            "latency_phase": {key: latency[key] for key in ("messages", "seconds", "coverage", "problem")},
            "peak_memory_mb": peak,
            "settings": {"rate": rate, "channels": self._channels} | settings(self._stack),
            "machine": machine(),
            "versions": versions(self._stack.jars),
        }

    def _phase(self, load: Load) -> dict[str, Any]:
        """Send at a rate for a time, wait for the drain, and say what came of it."""
        run_id = f"{self._run_id}-{load.name}"
        self._say(f"{load.name}: {load.rate:,.0f} messages a second for {load.seconds:.0f} s")
        with ExitStack() as running:
            probe = running.enter_context(
                VisibilityProbe(self._rows, workspace=load.workspace, run_id=run_id, share=load.probe_share)
            )
            page = running.enter_context(PageReader(self._stack, load.workspace))
            positions = Positions(self._stack.endpoints.kafka_bootstrap)
            running.callback(positions.close)
            source = running.enter_context(self._load(run_id, load.workspace, load.rate))
            series = self._watch(source, positions, load.seconds)
            sent = source.stop()
            problem = self._drain(load.workspace, run_id, sent)
            probe.look()
        return self._figures(load, run_id, sent, series, probe, page) | {"problem": problem}

    def _search(self, seconds: float) -> float:
        self._say(f"search: which rate is sustained, for {seconds:.0f} s")
        search = RateSearch(SEARCH_FROM)
        run_id, workspace = f"{self._run_id}-search", f"{WORKSPACE}-search"
        positions = Positions(self._stack.endpoints.kafka_bootstrap)
        try:
            with self._load(run_id, workspace, search.rate) as source:
                until, before, at = time.monotonic() + seconds, 0, time.monotonic()
                while time.monotonic() < until:
                    time.sleep(SEARCH_STEP_S)
                    source.check()
                    sent, stored, now = source.sent, positions.stored(), time.monotonic()
                    per_s, before, at = (stored - before) / (now - at), stored, now
                    self._say(
                        f"  at {search.rate:,.0f}: {per_s:,.0f} stored a second, {sent - stored:,} behind"
                    )
                    source.set_rate(search.observe(max(0, sent - stored), per_s))
                self._drain(workspace, run_id, source.stop())
        finally:
            positions.close()
        return round(search.chosen())

    def _watch(self, source: LoadProcess, positions: Positions, seconds: float) -> Series:
        while not source.sent:
            source.check()
            time.sleep(0.05)
        series = Series()
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            time.sleep(min(1.0, seconds - passed))
            source.check()
            series.seconds.append(time.monotonic() - began)
            series.backlog.append(float(source.sent - positions.stored()))
        return series

    def _drain(self, workspace: str, run_id: str, sent: int) -> str:
        reader = FlowReader(self._rows, self._backlog, workspace=workspace, run_id=run_id, lines=sent)
        try:
            wait_until_drained(reader, sent, stall_s=STALL_S, every_s=1.0)
        except StalledError as error:
            return str(error)
        return ""

    def _figures(
        self,
        load: Load,
        run_id: str,
        sent: int,
        series: Series,
        probe: VisibilityProbe,
        page: PageReader,
    ) -> dict[str, Any]:
        run = of_run(load.workspace, run_id)
        row = self._counts(run)
        stored, began = int(row["stored"]), int(row["began"])
        seconds = (probe.last_line_at - began) / 1000
        half = len(series.backlog) // 2
        return {
            "messages": stored,
            "seconds": round(seconds, 1),
            "sustained_msg_per_s": round(stored / seconds, 1) if seconds > 0 else 0.0,
            "asked_msg_per_s": load.rate,
            "coverage": round(int(row["told"] or 0) / sent, 5) if sent else 0.0,
            "scored_share": round(int(row["scored"]) / sent, 5) if sent else 0.0,
            "sent": sent,
            "lost": sent - int(row["ids"]) + max(0, int(row["scored"]) - int(row["windowed"] or 0)),
            "duplicates": stored - int(row["ids"]) + max(0, int(row["windowed"] or 0) - int(row["scored"])),
            "lag_growth_msg_per_s": round(slope_per_s(series.seconds[half:], series.backlog[half:]), 1),
            "backlog_mean": round(sum(series.backlog) / max(1, len(series.backlog))),
            "backlog_max": round(max(series.backlog, default=0.0)),
            "latency_ms": latencies(self._rows, probe, workspace=load.workspace, run_id=run_id, live=True),
            "page_frames": page.frames,
        }

    def _counts(self, run: str) -> Counter[str]:
        """Lines stored, scored and in windows, distinct ids, first arrival (`began`, ms) of a run.

        Stream by stream: the ids of a long run do not fit into the memory of one query.
        """
        total: Counter[str] = Counter(began=2**62)
        for found in self._rows(f"SELECT DISTINCT stream_id FROM messages WHERE {run}"):  # noqa: S608
            this = f"{run} AND stream_id = {quoted(str(found['stream_id']))}"
            (row,) = self._rows(
                "SELECT count() AS stored, countIf(scored) AS scored, uniqExact(message_id) AS ids, "  # noqa: S608
                "toUnixTimestamp64Milli(min(received_at)) AS began, "
                f"(SELECT sum(messages) FROM windows WHERE size_ms = 1000 AND {this}) AS windowed, "
                f"(SELECT sum(scored) FROM windows WHERE size_ms = 1000 AND {this}) AS told "
                f"FROM messages WHERE {this}"
            )
            began = min(total["began"], int(row["began"]))
            total.update(
                {name: int(row[name] or 0) for name in ("stored", "scored", "ids", "windowed", "told")}
            )
            total["began"] = began
        return total

    def _load(self, run_id: str, workspace: str, rate: float) -> LoadProcess:
        bootstrap = self._stack.endpoints.kafka_bootstrap
        return LoadProcess(bootstrap, run_id, workspace, self._texts, rate=rate, channels=self._channels)

    def _memory(self) -> dict[str, float]:
        state = control.running(self._stack)
        return memory(self._stack, state) if state else {}
