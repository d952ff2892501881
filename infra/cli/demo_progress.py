"""How `pulse demo` shows its way: the stack's start, then one bar for the replay and one for the drain."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra.local.acceptance.drain import Flow
from infra.local.acceptance.replay_run import ReplayCounts
from infra.local.progress import Progress as StackProgress
from infra.local.state import StackState


class DemoProgress:
    """An `Audience` on a console; a context that leaves the console clean, whatever happens."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stack: StackProgress | None = None
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("chat lines"),
            TimeElapsedColumn(),
            console=console,
        )
        self._replay = self._bars.add_task("replayed", total=None, visible=False, start=False)
        self._drain = self._bars.add_task("scored and stored", total=None, visible=False, start=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_stack()
        self._bars.stop()

    def starting(self, state: StackState) -> None:
        """Show the parts as they come up."""
        if self._stack is None:
            self._stack = StackProgress(self._console, "starting")
            self._stack.__enter__()
        self._stack.show(state)

    def page_ready(self, link: str) -> None:
        """Say where the page is, on a line of its own so that a terminal makes it a link."""
        self._console.print(f"The page: [bold]{link}[/bold]", soft_wrap=True)

    def replaying(self, counts: ReplayCounts) -> None:
        """Move the replay's bar."""
        if self._bars.tasks[0].start_time is None:
            self._end_stack()
            self._bars.start()
            self._bars.start_task(self._replay)
        self._bars.update(self._replay, visible=True, completed=counts.messages, total=counts.total or None)

    def draining(self, flow: Flow, lines: int) -> None:
        """Move the drain's bar."""
        if self._bars.tasks[1].start_time is None:
            self._bars.start_task(self._drain)
        self._bars.update(self._drain, visible=True, completed=flow.scored + flow.dead_letters, total=lines)

    def _end_stack(self) -> None:
        if self._stack is not None:
            self._stack.__exit__(None, None, None)
            self._stack = None
