"""Recorded chat as the records that a replay hands to Kafka: the same live, offline and after a resume."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from connectors.core.pseudonyms import Pseudonyms
from connectors.replay.spool import Spool
from connectors.replay.timeline import NEVER_MS, Timeline
from schemas.codecs import EARLIEST_MS
from schemas.records import ChatMessage, DeadLetter

__all__ = ["NEVER_MS", "RecordingError", "open_timeline", "recorded_records"]

GRID_MS: Final = 10_000
"""The longest window: windows then cut a recording alike whenever it is replayed, live and offline."""


class RecordingError(ValueError):
    """Files that cannot be replayed as a whole; the message says what to do."""


def recorded_records(
    paths: Sequence[Path],
    *,
    run_id: str,
    started_at_ms: int,
    pseudonyms: Pseudonyms,
    dead_letter: Callable[[DeadLetter], None],
    workspace: str = "default",
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    heartbeat_step_ms: int | None = None,
    limit: int | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> Iterator[ChatMessage]:
    """Yield the chat lines and heartbeats of recorded files, in the order in which a replay sends them.

    `sent_at` = base + offset within the channel; base = `started_at_ms` - length of the longest channel,
    taken back to a multiple of GRID_MS.
    Broadcasts (`stream` = channel/broadcast) of a channel follow one another in order of first appearance,
    channels run side by side, files naming the same stream merge. Chat lines come in order of `sent_at`, at
    equal times in the order of files and lines, whatever their order in a file. All but `received_at` is a
    function of the arguments and the files.

    A heartbeat (`sent_at` = `to`) says that its stream was silent after `from` up to and including `to`;
    one with `closing` ends each stream at its last line's time.

    Args:
        paths: files of JSON lines, plain or gzip, in the order given.
        run_id: the part of stream and message ids before the first slash.
        started_at_ms: wall clock at which the replay began; no line lies after it.
        pseudonyms: for authors and the mentions in texts.
        dead_letter: is handed each line that cannot be read, with its bytes: before the first record, only
            records too large for Kafka come later, in their place.
        workspace: whose data it is.
        now_ms: clock for `received_at` and `seen_at`, asked once a record.
        heartbeat_step_ms: a heartbeat each so many ms of silence (1000 at speed 1); None: one for each
            silence of a second or more.
        limit: read at most so many chat lines, in the order of files and lines, as if the files ended there.
        on_bytes: progress of the first pass, in bytes read from disk.

    Raises:
        OSError: a file cannot be read.
        RecordingError: together the broadcasts are longer than the time since 2000.
    """
    with Spool() as spool:
        timeline = open_timeline(
            spool,
            paths,
            run_id=run_id,
            started_at_ms=started_at_ms,
            pseudonyms=pseudonyms,
            workspace=workspace,
            heartbeat_step_ms=heartbeat_step_ms,
            limit=limit,
            on_bytes=on_bytes,
        )
        for record in timeline.records(now_ms):
            if isinstance(record, DeadLetter):
                dead_letter(record)
            else:
                yield record


def open_timeline(
    spool: Spool,
    paths: Sequence[Path],
    *,
    run_id: str,
    started_at_ms: int,
    pseudonyms: Pseudonyms,
    workspace: str = "default",
    heartbeat_step_ms: int | None = None,
    limit: int | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> Timeline:
    """Read the files into the spool and place them in time; arguments and errors as `recorded_records`."""
    spool.read(paths, on_bytes, limit)
    base_ms = started_at_ms - spool.length_ms
    base_ms -= base_ms % GRID_MS
    if base_ms < EARLIEST_MS:
        days = spool.length_ms // 86_400_000
        raise RecordingError(
            f"one channel of the recording lasts {days:,} days; check whether `offset_ms` holds milliseconds"
        )
    return Timeline(
        spool=spool,
        sources=[str(path) if _same_name(paths, path) else path.name for path in paths],
        base_ms=base_ms,
        run_id=run_id,
        workspace=workspace,
        pseudonyms=pseudonyms,
        heartbeat_step_ms=heartbeat_step_ms,
    )


def _same_name(paths: Sequence[Path], path: Path) -> bool:
    return sum(other.name == path.name for other in paths) > 1
