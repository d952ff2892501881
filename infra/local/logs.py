"""The parts' log files: their ends, for people, and their rotation."""

import shutil
from pathlib import Path

import msgspec

KEPT = 3
"""Rotated files kept beside each log."""


def tail(log: Path, lines: int = 15, limit: int = 16_384) -> str:
    """The last lines of a log, those in JSON as people read them; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - limit))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(readable(line) for line in text.splitlines()[-lines:])


class _Line(msgspec.Struct):
    timestamp: str
    level: str
    message: str
    exception: str = ""


def readable(line: str) -> str:
    """A line of infra/local/json_logs.py or of a JVM's log4j as plain text; any other line as it is."""
    try:
        found = msgspec.json.decode(line, type=_Line)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return line
    return f"{found.timestamp} {found.level:<7} {found.message}\n{found.exception}".rstrip()


def rotate(folder: Path, megabytes: int) -> None:
    """Copy each log that has grown too large to `.1` and empty it.

    The processes append to the open file, so they go on without being told; lines written during the copy
    may be lost from the log.
    """
    for log in folder.glob("*.log"):
        if log.stat().st_size < megabytes * 2**20:
            continue
        for number in range(KEPT - 1, 0, -1):
            older = log.with_suffix(f".log.{number}")
            if older.exists():
                older.replace(log.with_suffix(f".log.{number + 1}"))
        shutil.copyfile(log, log.with_suffix(".log.1"))
        with log.open("r+b") as file:
            file.truncate(0)
