"""`pulse import`: chat exports of other tools to recorded chat."""

import gzip
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Annotated, Final, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from connectors.imports.conversion import Conversion, Refused, UnknownFormatError
from connectors.imports.export import Export
from connectors.imports.formats import READERS, Format

app = typer.Typer(add_completion=False)
_errors = Console(stderr=True, highlight=False)

REFUSED_SHOWN: Final = 20
"""Entries that cannot be read and are named one by one; the rest are counted."""


@app.command()
def import_(
    files: Annotated[
        list[Path], typer.Argument(help="Chat exports, plain or gzip, any number; - is standard input.")
    ],
    output: Annotated[
        str, typer.Option(metavar="FILE|-", help="Where to write: .jsonl, .jsonl.gz, or - for stdout.")
    ] = "-",
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help=f"One of {', '.join(READERS)}; default: told by each file's content.",
        ),
    ] = None,
) -> None:
    """Turn chat exports of other tools into recorded chat, oldest first.

    Formats: TwitchDownloader's JSON (twitch-downloader), chat-downloader's JSON and JSON lines
    (chat-downloader, chat-downloader-lines), raw logs of justlog and rustlog (irc-log), bare IRC lines
    without tags or times (irc), yt-dlp's live_chat.json (youtube-live-chat), Telegram Desktop's result.json
    (telegram).

    Out: JSON lines as `pulse detect` reads them: stream (channel/broadcast), offset_ms, author, text, and
    what the export knows of emotes (name, provider, start, end in code points), badges, bits, first_message,
    account_age_s, reply_to; raid, sub and gift notices are lines with `notice` (raid, sub or gift) and, for
    raids, `viewers`. Bare IRC lines come in the order of the file with offset_ms null.

    Names stay as they are in the export: recorded chat is pseudonymised when it is replayed. Entries that
    cannot be read are named on standard error by line (item, where the file is one JSON document), counted
    and skipped. The last line on standard error is one JSON object: lines, refused, skipped, formats.

    `pulse detect`, `pulse replay` and `pulse demo --input` take these files directly.
    """
    if format_ is not None and format_ not in READERS:
        raise typer.BadParameter(f"`{format_}`; known: {', '.join(READERS)}", param_hint="--format")
    for file in files:
        if str(file) != "-" and (not file.exists() or file.is_dir()):
            raise typer.BadParameter(f"{file}: no such file", param_hint="FILE")
    told = Refusals("pulse import")
    try:
        with Conversion(told) as conversion, ExitStack() as stack, _progress() as progress:
            paths = [seekable(file, stack) for file in files]
            bar = progress.add_task("reading", total=sum(path.stat().st_size for path in paths))
            formats = [
                conversion.read(
                    Export(path, lambda count: progress.advance(bar, count)), cast("Format | None", format_)
                )
                for path in paths
            ]
            _write(conversion.recorded(), output)
    except UnknownFormatError as error:
        typer.echo(f"pulse import: {error}", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"pulse import: {error}", err=True)
        raise typer.Exit(1) from None
    told.summary()
    counts = {"lines": conversion.lines, "refused": conversion.refused, "skipped": conversion.skipped}
    typer.echo(json.dumps({**counts, "formats": sorted(set(formats))}), err=True)


class Refusals:
    """Names what cannot be read on standard error, the first REFUSED_SHOWN one by one."""

    def __init__(self, command: str) -> None:
        self.count = 0
        self._command = command

    def __call__(self, refused: Refused) -> None:
        """Count one, and name it while there are few."""
        self.count += 1
        if self.count <= REFUSED_SHOWN:
            typer.echo(f"{self._command}: {refused}", err=True)

    def summary(self) -> None:
        """Say how many there were."""
        if self.count:
            typer.echo(f"{self._command}: {self.count} entries could not be read and were skipped", err=True)


def seekable(file: Path, stack: ExitStack) -> Path:
    """The file; standard input and pipes are kept in a private temporary one, as exports are read twice."""
    if str(file) != "-" and file.is_file():
        return file
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pulse-import-")))
    path = folder / ("stdin" if str(file) == "-" else file.name)
    with ExitStack() as source, path.open("wb") as copy:
        stream = sys.stdin.buffer if str(file) == "-" else source.enter_context(file.open("rb"))
        shutil.copyfileobj(stream, copy)
    return path


def _write(lines: Iterable[bytes], output: str) -> None:
    if output != "-":
        path = Path(output)
        draft = path.with_name(f".{path.name}.draft")
        with ExitStack() as opened:
            file: IO[bytes] = opened.enter_context(draft.open("wb"))
            if output.endswith(".gz"):
                file = cast("IO[bytes]", opened.enter_context(gzip.GzipFile(fileobj=file, mode="wb")))
            file.writelines(line + b"\n" for line in lines)
        draft.replace(path)
        return
    try:
        sys.stdout.buffer.writelines(line + b"\n" for line in lines)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The reader has enough (`| head`): the interpreter's last flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=_errors,
        transient=True,
        disable=not _errors.is_terminal,
    )
