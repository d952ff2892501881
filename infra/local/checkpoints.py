"""The retained checkpoints of the jobs: `checkpoints/<job>/<job id>/chk-<n>/_metadata`."""

import shutil
from collections.abc import Collection
from pathlib import Path


def newest(folder: Path, job: str, skip: Collection[Path] = ()) -> Path | None:
    """The newest complete checkpoint of a job over all its submissions; None where there is none.

    A checkpoint is complete when its `_metadata` is there: Flink writes that last, and in one step. Files of
    one submission are ordered by their number, those of several by the time of the metadata.

    Args:
        folder: The parent of the jobs' folders.
        job: Its name.
        skip: Checkpoints that were tried and could not be read.
    """
    found = [meta for meta in (folder / job).glob("*/chk-*/_metadata") if meta.parent not in skip]
    if not found:
        return None
    return max(found, key=lambda meta: (meta.stat().st_mtime_ns, _number(meta.parent))).parent


def under_way(folder: Path, job: str, job_id: str) -> bool:
    """Whether a checkpoint of that submission is being made now.

    Flink makes a checkpoint's folder when it begins and writes `_metadata` into it at the end. (Its REST
    interface answers the same question out of a cache that is seconds old.)
    """
    numbers = {_number(made): (made / "_metadata").exists() for made in (folder / job / job_id).glob("chk-*")}
    return bool(numbers) and not numbers[max(numbers)]


def forget_others(folder: Path, job: str, job_id: str) -> None:
    """Delete the checkpoints of earlier submissions, once this one has a complete one of its own."""
    if not any((folder / job / job_id).glob("chk-*/_metadata")):
        return
    for other in (folder / job).iterdir():
        if other.name != job_id:
            shutil.rmtree(other, ignore_errors=True)


def forget(folder: Path, job: str) -> None:
    """Delete every checkpoint of a job: its next submission begins afresh."""
    shutil.rmtree(folder / job, ignore_errors=True)


def _number(checkpoint: Path) -> int:
    tail = checkpoint.name.removeprefix("chk-")
    return int(tail) if tail.isdigit() else 0
