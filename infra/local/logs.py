"""The parts' log files: their ends, for people, and their rotation."""

import shutil
from pathlib import Path

KEPT = 3
"""Rotated files kept beside each log."""


def tail(log: Path, lines: int = 15, limit: int = 16_384) -> str:
    """The last lines of a log; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - limit))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


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
