"""One replay through the whole stack: start what is missing, replay, wait for the drain, report, stop."""

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from infra.local import control
from infra.local.acceptance.api_rows import ApiRows, page_link
from infra.local.acceptance.backlog import Backlog, Ends
from infra.local.acceptance.drain import Flow, StalledError, wait_until_drained
from infra.local.acceptance.exactness import Exactness, check
from infra.local.acceptance.flow import FlowReader
from infra.local.acceptance.memory import MemorySampler
from infra.local.acceptance.recording import read_recording
from infra.local.acceptance.replay_run import ReplayCounts, replay
from infra.local.acceptance.report import Measured, Run, build_report
from infra.local.acceptance.visibility import VisibilityProbe
from infra.local.control import StartOptions
from infra.local.settings import Stack
from infra.local.state import StackState
from infra.local.supervisor import memory


class Audience(Protocol):
    """Who is told how it goes."""

    def starting(self, state: StackState) -> None:
        """The stack's state changed while it starts."""

    def page_ready(self, link: str) -> None:
        """The page answers."""

    def replaying(self, counts: ReplayCounts) -> None:
        """More lines were handed to Kafka."""

    def draining(self, flow: Flow, lines: int) -> None:
        """More came through."""


@dataclass
class Demonstration:
    """Settings of a demonstration; `run` carries it out.

    Attributes:
        patience_s: How long no figure may move before the drain is given up.
    """

    stack: Stack
    files: Sequence[Path]
    run_id: str
    workspace: str
    speed: float | None
    patience_s: float
    audience: Audience
    _link_shown: bool = False

    def start(self) -> None:
        """Start the stack unless it is up, and wait until it is ready.

        Raises:
            StackError: as `control.start`.
        """
        if (state := control.running(self.stack)) is not None:
            self._await_ready(state)
            self._show_link(control.running(self.stack))
            return
        control.start(self.stack, StartOptions(), self._starting)

    def run(self, began: float, *, drain: bool) -> dict[str, Any] | None:
        """Replay, and where `drain` is set wait and report; None where there is no report.

        The stack must be up. A KeyboardInterrupt may come out at any time.

        Raises:
            RecordingError, SourceError, DeliveryError, PseudonymKeyError, OSError: as `replay`.
        """
        rows, backlog = ApiRows(self.stack), Backlog(self.stack.endpoints.kafka_bootstrap)
        run = Run(self.run_id, self.workspace, self.files, self.speed, began)
        before = backlog.ends()
        with ExitStack() as watching:
            probe = VisibilityProbe(rows, workspace=self.workspace, run_id=self.run_id)
            watching.enter_context(probe)
            sampler = watching.enter_context(MemorySampler(self._memory))
            counts = self._replay()
            if not drain:
                return None
            return self._drain(run, rows, backlog, before, probe, sampler, counts)

    def _drain(
        self,
        run: Run,
        rows: ApiRows,
        backlog: Backlog,
        before: Ends,
        probe: VisibilityProbe,
        sampler: MemorySampler,
        counts: ReplayCounts,
    ) -> dict[str, Any]:
        ended = time.monotonic()
        recording = read_recording(self.files)
        reader = FlowReader(
            rows, backlog, workspace=self.workspace, run_id=self.run_id, lines=recording.lines
        )
        problem, drained_s = "", None
        try:
            wait_until_drained(
                reader,
                recording.lines,
                on_progress=lambda flow: self.audience.draining(flow, recording.lines),
                stall_s=self.patience_s,
            )
            drained_s = round(time.monotonic() - ended, 1)
        except StalledError as error:
            problem = str(error)
        probe.look()
        exactness = check(rows, recording, workspace=self.workspace, run_id=self.run_id)
        measured = Measured(counts, probe, sampler, before, backlog.ends(), drained_s, problem)
        return build_report(self.stack, control.running(self.stack), rows, run, measured, exactness)

    def _replay(self) -> ReplayCounts:
        return replay(
            self.stack,
            self.files,
            run_id=self.run_id,
            workspace=self.workspace,
            speed=self.speed,
            on_progress=self.audience.replaying,
        )

    def _starting(self, state: StackState) -> None:
        self.audience.starting(state)
        self._show_link(state)

    def _show_link(self, state: StackState | None) -> None:
        store = state.parts.get("store") if state else None
        if not self._link_shown and (store is None or store.state == "up"):
            self._link_shown = True
            self.audience.page_ready(page_link(self.stack))

    def _await_ready(self, state: StackState) -> None:
        """A stack that is just coming up, by somebody else's command."""
        deadline = time.monotonic() + self.stack.settings.start_timeout_s
        while not state.ready:
            self.audience.starting(state)
            if time.monotonic() > deadline or (found := control.running(self.stack)) is None:
                raise control.StackError("the running stack is not well; `pulse status` says what is wrong")
            state = found
            time.sleep(control.POLL_S)

    def _memory(self) -> dict[str, float]:
        state = control.running(self.stack)
        return memory(self.stack, state) if state else {}


def verdict(report: dict[str, Any]) -> str:
    """One sentence for people; empty where all is exact."""
    if report["exact"]:
        return ""
    found = Exactness(**report["exactness"])
    said = [report["problem"]] if report["problem"] else []
    for figure, name in (
        (report["lost"], "rows lost"),
        (report["duplicates"], "rows doubled"),
        (found.unscored_lines, "lines unscored"),
        (found.displaced_lines, "lines at a wrong time"),
        (found.wrong_windows, "windows with wrong sums"),
        (found.wrong_new_authors, "streams with wrong counts of new authors"),
    ):
        if figure:
            said.append(f"{figure:,} {name}")
    return "; ".join(said) + (f". For example: {found.examples[0]}" if found.examples else "")


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write the report as one indented JSON object, whole or not at all."""
    draft = path.with_name(path.name + ".draft")
    draft.write_text(json.dumps(report, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    draft.replace(path)
