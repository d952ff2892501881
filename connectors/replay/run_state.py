"""What a replay needs to go on after it was killed: one small file a run."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from connectors.replay.records import RecordingError

_RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


class ReplayedFile(msgspec.Struct, frozen=True):
    """A file of the run; size and time tell whether it is still the same."""

    path: str
    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """The file as it is now.

        Raises:
            OSError: there is none.
        """
        stat = path.stat()
        return cls(str(path.resolve()), stat.st_size, stat.st_mtime_ns)


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """A replay's settings, which a resumed run keeps, and how far it came."""

    run_id: str
    workspace: str
    files: tuple[ReplayedFile, ...]
    started_at_ms: int
    speed: float | None
    """Replay seconds a second; null: as fast as Kafka takes it."""
    limit: int | None
    kid: str
    """Key id of the pseudonyms; a broadcast has one."""
    next_record: int = 0
    """How many records, in their one order, Kafka has."""
    finished: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files in their order."""
        return tuple(Path(file.path) for file in self.files)


class RunStates:
    """The state files of all runs in a folder, each written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(
        self,
        run_id: str,
        paths: Sequence[Path],
        *,
        workspace: str,
        started_at_ms: int,
        speed: float | None,
        limit: int | None,
        kid: str,
    ) -> RunState:
        """The state of a new run, on disk.

        Raises:
            RecordingError: a bad run id, or one that was used before.
            OSError: a file of the run is missing.
        """
        if self._path(run_id).exists():
            raise RecordingError(
                f"run id `{run_id}` was used before; take another, or continue it: "
                f"pulse replay --resume {run_id}"
            )
        state = RunState(
            run_id=run_id,
            workspace=workspace,
            files=tuple(ReplayedFile.of(path) for path in paths),
            started_at_ms=started_at_ms,
            speed=speed,
            limit=limit,
            kid=kid,
        )
        self.write(state)
        return state

    def load(self, run_id: str) -> RunState:
        """The state of an earlier run.

        Raises:
            RecordingError: there is none, it cannot be read, or a file has changed since.
        """
        path = self._path(run_id)
        try:
            state = msgspec.json.decode(path.read_bytes(), type=RunState)
        except FileNotFoundError:
            known = ", ".join(sorted(file.stem for file in self._folder.glob("*.json"))[-5:]) or "none"
            raise RecordingError(f"no replay `{run_id}` to resume; known here: {known}") from None
        except msgspec.MsgspecError as error:
            raise RecordingError(f"{path} cannot be read: {error}") from None
        for file in state.files:
            if not Path(file.path).exists() or ReplayedFile.of(Path(file.path)) != file:
                raise RecordingError(f"{file.path} is missing or has changed since replay `{run_id}` began")
        return state

    def write(self, state: RunState) -> None:
        """Put the state on disk; returns when it would survive a power cut."""
        path = self._path(state.run_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        with draft.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(state)))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def _path(self, run_id: str) -> Path:
        if not _RUN_ID.fullmatch(run_id):
            raise RecordingError(f"run id `{run_id}`: only letters, digits, dot, _ and -, at most 80")
        return self._folder / f"{run_id}.json"
