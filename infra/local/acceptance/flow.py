"""Reads how far a run has come: counts of the views, and the consumers once the counts are complete."""

from dataclasses import replace

from infra.local.acceptance.backlog import Backlog, Ends
from infra.local.acceptance.drain import Flow
from infra.local.acceptance.stored import Rows, of_run, quoted


class FlowReader:
    """Reads the flow of one run; calls raise OSError while a part does not answer."""

    def __init__(self, rows: Rows, backlog: Backlog, *, workspace: str, run_id: str, lines: int) -> None:
        self._rows = rows
        self._backlog = backlog
        self._query = flow_query(workspace, run_id)
        self._lines = lines
        self._mark: Ends | None = None

    def __call__(self) -> Flow:
        """The flow now; its `lag` counts what lay in the topics when the counts were first complete."""
        (row,) = self._rows(self._query)
        flow = Flow(**{name: int(value or 0) for name, value in row.items()}, lag={})
        if flow.missing(self._lines):
            return flow
        if self._mark is None:
            self._mark = self._backlog.ends()
        return replace(flow, lag=self._backlog.behind(self._mark))


def flow_query(workspace: str, run_id: str) -> str:
    """One SELECT of the counts in `Flow`, by their names."""
    run = of_run(workspace, run_id)
    refused = f"workspace = {quoted(workspace)} AND startsWith(dlq_id, {quoted(run_id + '/')})"
    counts = {
        "scored": ("countIf(scored) FROM messages", run),
        "counted": ("countIf(scored AND counted) FROM messages", run),
        "dead_letters": ("count() FROM dead_letters", refused),
        "in_windows_1s": ("sum(messages) FROM windows", f"size_ms = 1000 AND {run}"),
        "in_windows_10s": ("sum(messages) FROM windows", f"size_ms = 10000 AND {run}"),
        "in_activity": ("sum(messages) FROM activity", run),
        "alerts": ("count() FROM alerts", run),
        "open_alerts": ("count() FROM alerts", f"state != 'closed' AND {run}"),
    }
    return "SELECT " + ", ".join(
        f"(SELECT {select} WHERE {condition}) AS {name}" for name, (select, condition) in counts.items()
    )
