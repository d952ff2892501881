"""`pulse detect`: floods, raids and mood turns in recorded chat, without servers."""

import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from connectors.replay.records import RecordingError
from infra.cli.import_chat import seekable
from infra.cli.import_inputs import as_recordings
from infra.cli.recorded_detection import Found, RecordedDetection
from schemas.records import DeadLetter
from serving.scorer.backend import DEFAULT_MODEL, ModelNotFoundError, Scorer, load_scorer

app = typer.Typer(add_completion=False)

REFUSED_SHOWN: Final = 20
"""Unreadable lines reported one by one; the rest are counted."""


@app.command()
def detect(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Recorded chat (.jsonl, .jsonl.gz) or an export that `pulse import` knows; none or - is "
            "standard input.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Model name under serving/models, or a model folder.")
    ] = DEFAULT_MODEL,
    no_model: Annotated[bool, typer.Option("--no-model", help="Only the kinds that need no model.")] = False,
) -> None:
    """Find floods, raids and mood turns in recorded chat, as the live system would have.

    In: {"stream": channel/broadcast, "offset_ms", "author", "text", "emotes"?, "badges"?, "bits"?,
    "first_message"?, "account_age_s"?} a line.

    Out: one JSON line per alert episode, when it closes: {"stream", "kind", "severity", "started_at_ms",
    "detected_at_ms", "ended_at_ms", "why", "authors", "messages", "channels"}. Times are offsets of that
    stream, as in the file; "detected_at_ms" is when a live system would have raised the alert, its own delays
    included. Nothing is looked at before its time.

    Lines that cannot be read are named on standard error, counted and skipped. Exit status 1 where no line
    could be read, or a compressed file is damaged.

    Example: pulse detect recording.jsonl.gz --no-model | jq -c '[.stream, .kind, .severity]'
    """
    for file in files or []:
        if str(file) != "-" and not file.is_file():
            says = "is a directory" if file.is_dir() else "no such file"
            raise typer.BadParameter(f"{file}: {says}", param_hint="FILES")
    scorer = None if no_model else _load(model)
    refused = _Refused()
    with ExitStack() as stack:
        paths = _recordings(files or [Path("-")], stack)
        progress = stack.enter_context(_progress())
        task = progress.add_task("reading", total=sum(path.stat().st_size for path in paths))
        run = RecordedDetection(
            paths,
            scorer,
            refused=refused,
            on_bytes=lambda count: progress.advance(task, count),
            on_lines=lambda done, total: progress.update(
                task, description="detecting", completed=done, total=total
            ),
        )
        try:
            for found in run.episodes():
                sys.stdout.write(json.dumps(_row(found), ensure_ascii=False) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader has enough (`| head`): send the interpreter's last flush elsewhere.
            sys.stdout = sys.__stderr__
            raise SystemExit(0) from None
        except (RecordingError, OSError) as error:
            typer.echo(f"pulse detect: {error}", err=True)
            raise typer.Exit(1) from None
    if refused.count:
        typer.echo(
            f"pulse detect: {refused.count} lines could not be read and were skipped ({run.lines} were)",
            err=True,
        )
    if refused.damaged or (refused.count and not run.lines):
        raise typer.Exit(1)


class _Refused:
    """Names unreadable lines on standard error."""

    def __init__(self) -> None:
        self.count = 0
        self.damaged = False
        """Whether a file's compressed data breaks off: what follows is not known."""

    def __call__(self, letter: DeadLetter) -> None:
        self.count += 1
        self.damaged |= letter.error_class == "source_line"
        if self.count <= REFUSED_SHOWN:
            typer.echo(
                f"pulse detect: {letter.source}:{letter.position}: {letter.error_class}: {letter.error}",
                err=True,
            )


def _row(found: Found) -> dict[str, Any]:
    alert = found.alert
    return {
        "stream": found.stream,
        "kind": alert.kind,
        "severity": alert.severity,
        "started_at_ms": max(0, alert.started_at - found.origin_ms),
        "detected_at_ms": alert.detected_at - found.origin_ms,
        "ended_at_ms": None if alert.ended_at is None else alert.ended_at - found.origin_ms,
        "why": alert.why,
        "authors": alert.authors,
        "messages": alert.messages,
        "channels": list(found.channels),
    }


def _load(model: str) -> Scorer:
    try:
        return load_scorer(model)
    except ModelNotFoundError as error:
        raise typer.BadParameter(f"{error} (or use --no-model)", param_hint="--model") from error


def _recordings(files: list[Path], stack: ExitStack) -> list[Path]:
    """The files as recorded chat, exports converted in a private folder for as long as the command runs."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pulse-detect-")))
    try:
        return as_recordings([seekable(file, stack) for file in files], folder, "pulse detect")
    except (RecordingError, OSError) as error:
        typer.echo(f"pulse detect: {error}", err=True)
        raise typer.Exit(1) from None


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
