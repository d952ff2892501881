"""Files that a command takes as recorded chat: exports of other tools are converted first."""

import hashlib
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import typer

from connectors.imports.conversion import Conversion, require_times
from connectors.imports.export import Export
from connectors.imports.formats import format_of
from infra.cli.import_chat import Refusals

_VERSION = 1
"""Of the conversion; part of a converted file's name."""


def as_recordings(files: Sequence[Path], folder: Path, command: str) -> list[Path]:
    """Each file, or where it is an export of another tool its conversion in `folder`, made once.

    Pipes are taken for recorded chat. Entries that cannot be read are named on standard error and skipped.

    Raises:
        RecordingError: a file has no times; the message says what to do.
        OSError: a file cannot be read, or the conversion not written.
    """
    return [_recording(file, folder, command) if file.is_file() else file for file in files]


def _recording(file: Path, folder: Path, command: str) -> Path:
    export = Export(file)
    require_times(export)
    if format_of(export) in ("recording", None):
        return file
    stat = file.stat()
    identity = f"{_VERSION}|{file.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    path = folder / f"{export.stem}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}.jsonl"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # names stand in it as in the export
    told = Refusals(command)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    with ExitStack() as undo, Conversion(told) as conversion:
        undo.callback(draft.unlink, missing_ok=True)
        conversion.read(export)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as output:
            output.writelines(line + b"\n" for line in conversion.recorded())
        draft.replace(path)
    told.summary()
    typer.echo(f"{command}: {file.name}: {conversion.lines} lines imported", err=True)
    return path
