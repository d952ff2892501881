"""Shows a stack coming up or going down: rewritten lines, or a line a change where it is no terminal."""

import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from infra.local.state import StackState

COLOURS = {"up": "green", "done": "green", "RUNNING": "green", "failing": "red", "refused": "red"}


class Progress:
    """A context in which `show` draws the newest state."""

    def __init__(self, console: Console, verb: str) -> None:
        self._console = console
        self._verb = verb
        self._live = Live(console=console, refresh_per_second=8, transient=True)
        self._began = time.monotonic()
        self._seen: dict[str, str] = {}

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, state: StackState) -> None:
        """Draw a state; on something that is no terminal, print what changed."""
        lines = {part.name: (part.state, part.problem) for part in state.parts.values()}
        lines |= {f"job {job.name}": (job.state, job.problem) for job in state.jobs.values()}
        if self._console.is_terminal:
            self._live.update(self._table(lines))
            return
        for name, (value, _) in lines.items():
            if self._seen.get(name) != value:
                self._seen[name] = value
                self._console.print(
                    f"{time.monotonic() - self._began:6.1f} s  {name}: {value}", highlight=False
                )

    def _table(self, lines: dict[str, tuple[str, str]]) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_row(Spinner("dots"), f"{self._verb}, {time.monotonic() - self._began:.0f} s", "")
        for name, (value, problem) in lines.items():
            colour = COLOURS.get(value, "yellow")
            table.add_row("", name, f"[{colour}]{value}[/{colour}]", "" if value in COLOURS else problem[:60])
        return table
