"""Is each line of the input in the store exactly once, and does each window hold exactly its lines?

The expected side comes from the files alone: which lines there are, when each was said, by whom. Only the
scores and the replay's base time are taken from the stored lines, as no file can tell them.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from infra.local.acceptance.recording import RecordedStream, Recording
from infra.local.acceptance.stored import (
    SQUARED,
    Rows,
    StoredLines,
    StoredWindows,
    refused_lines,
    stored_lines,
    stored_windows,
)

EXAMPLES: Final = 20
"""Of findings that are named; the figures count all."""


@dataclass
class Exactness:
    """What the comparison found; everything below `windows` is 0 where all is exact."""

    lines: int = 0
    stored: int = 0
    dead_letters: dict[str, int] = field(default_factory=dict)
    """Refused lines by error class."""
    late: int = 0
    """Lines stored that no window holds, as they came too late."""
    windows: int = 0
    lost_lines: int = 0
    repeated_lines: int = 0
    """Rows beyond the first of a line."""
    foreign_lines: int = 0
    """Rows that no line of the input stands for."""
    unscored_lines: int = 0
    displaced_lines: int = 0
    """Lines whose time is not the recorded offset from the stream's base."""
    lost_in_windows: int = 0
    """Lines missing from 1 s and 10 s windows."""
    repeated_in_windows: int = 0
    wrong_windows: int = 0
    """Windows whose counts, authors or sums differ from those computed from the input."""
    wrong_new_authors: int = 0
    """Streams whose windows' new authors are not the number of its authors."""
    examples: list[str] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Rows missing anywhere: lines, or lines in windows."""
        return self.lost_lines + self.lost_in_windows

    @property
    def duplicates(self) -> int:
        """Rows too many anywhere."""
        return self.repeated_lines + self.foreign_lines + self.repeated_in_windows

    @property
    def exact(self) -> bool:
        """Whether nothing at all differs."""
        wrong = self.unscored_lines + self.displaced_lines + self.wrong_windows + self.wrong_new_authors
        return not (self.lost or self.duplicates or wrong)

    def note(self, finding: str) -> None:
        """Keep a finding as an example, while there is room."""
        if len(self.examples) < EXAMPLES:
            self.examples.append(finding)


def check(rows: Rows, recording: Recording, *, workspace: str, run_id: str) -> Exactness:
    """Compare the files with the store, stream by stream."""
    result = Exactness(lines=recording.lines)
    refused = refused_lines(rows, workspace, run_id)
    result.dead_letters = dict(Counter(error_class for _, _, error_class in refused))
    positions = Counter((file, number) for file, number, _ in refused)
    _check_refused(recording, positions, result)
    for name, stream in recording.streams.items():
        stream_id = f"{run_id}/{name}"
        stored = stored_lines(rows, workspace, stream_id)
        matched = _match_lines(stream, stored, stream_id, set(positions), result)
        windows = stored_windows(rows, workspace, stream_id)
        for size, found in windows.items():
            _check_windows(stream, stored, matched, found, size, stream_id, result)
    return result


def _check_refused(recording: Recording, positions: Counter[tuple[int, int]], result: Exactness) -> None:
    for position in recording.unreadable:
        if position not in positions:
            result.lost_lines += 1
            result.note(f"line {position[1]} of file {position[0]} is no chat line and in no dead letter")
    result.repeated_lines += sum(positions.values()) - len(positions)


def _match_lines(
    stream: RecordedStream,
    stored: StoredLines,
    stream_id: str,
    refused: set[tuple[int, int]],
    result: Exactness,
) -> NDArray[np.int64]:
    """For each stored row the index of its line in the stream, -1 for a row that does not count."""
    expected = {ident: index for index, ident in enumerate(stream.message_ids(stream_id))}
    matched = np.full(len(stored.ids), -1, dtype=np.int64)
    seen: set[int] = set()
    for row, ident in enumerate(stored.ids):
        index = expected.get(ident)
        if index is None:
            result.foreign_lines += 1
            result.note(f"{ident} stands for no line of the input")
        elif index in seen:
            result.repeated_lines += 1
            result.note(f"{ident} is stored more than once")
        else:
            seen.add(index)
            matched[row] = index
    positions = stream.positions()
    for ident, index in expected.items():
        if (index in seen) == (positions[index] in refused):
            fault = "both stored and refused" if index in seen else "neither stored nor refused"
            result.repeated_lines += index in seen
            result.lost_lines += index not in seen
            result.note(f"{ident} is {fault}")
    result.stored += len(stored.ids)
    result.unscored_lines += int((~stored.scored).sum())
    result.late += int((stored.scored & ~stored.counted).sum())
    return matched


def _check_windows(
    stream: RecordedStream,
    stored: StoredLines,
    matched: NDArray[np.int64],
    found: StoredWindows,
    size_ms: int,
    stream_id: str,
    result: Exactness,
) -> None:
    result.windows += len(found.starts)
    offsets, authors = stream.columns()
    rows = np.flatnonzero((matched >= 0) & stored.scored & stored.counted)
    if rows.size == 0:
        result.repeated_in_windows += int(found.counts[:, 0].sum())
        return
    lines = matched[rows]
    bases = stored.sent_at[rows] - offsets[lines]
    base = int(np.bincount(bases - bases.min()).argmax() + bases.min()) if np.ptp(bases) else int(bases[0])
    if size_ms == 1_000:
        result.displaced_lines += int((bases != base).sum())
        _check_new_authors(authors[lines], found, stream_id, result)
    sent_at = base + offsets[lines]
    expected = _aggregate(sent_at - sent_at % size_ms, authors[lines], stored, rows)
    _compare(expected, found, f"{stream_id}, {size_ms} ms", result)


def _aggregate(
    starts: NDArray[np.int64], authors: NDArray[np.int64], stored: StoredLines, rows: NDArray[np.int64]
) -> StoredWindows:
    """The windows that these lines make, straight from the definition of `schemas.records.Window`."""
    unique, window = np.unique(starts, return_inverse=True)
    scored = ~stored.abstained[rows]
    # abstained lines count as messages and stay out of the sums
    scores = stored.scores[rows] * scored[:, None]
    columns = np.concatenate([scores, scores[:, :SQUARED] ** 2], axis=1)
    sums = np.zeros((len(unique), columns.shape[1]), dtype=np.int64)
    np.add.at(sums, window, columns)
    pairs = np.unique(np.stack([window, authors], axis=1), axis=0)
    messages = np.bincount(window, minlength=len(unique))
    in_sums = np.bincount(window[scored], minlength=len(unique))
    distinct = np.bincount(pairs[:, 0], minlength=len(unique))
    counts = np.stack([messages, in_sums, messages - in_sums, distinct], axis=1).astype(np.int64)
    return StoredWindows(unique, counts, np.zeros(len(unique), dtype=np.int64), sums)


def _compare(expected: StoredWindows, found: StoredWindows, where: str, result: Exactness) -> None:
    places = {int(start): index for index, start in enumerate(found.starts)}
    if len(places) < len(found.starts):
        result.repeated_in_windows += len(found.starts) - len(places)
        result.note(f"{where}: a window is stored more than once")
    for index, start in enumerate(expected.starts):
        place = places.pop(int(start), None)
        if place is None:
            result.lost_in_windows += int(expected.counts[index, 0])
            result.wrong_windows += 1
            result.note(f"{where}: no window at {start}")
            continue
        excess = int(found.counts[place, 0] - expected.counts[index, 0])
        result.lost_in_windows += max(0, -excess)
        result.repeated_in_windows += max(0, excess)
        same = np.array_equal(found.counts[place], expected.counts[index])
        if not (same and np.array_equal(found.sums[place], expected.sums[index])):
            result.wrong_windows += 1
            result.note(
                f"{where}, window {start}: counts {found.counts[place].tolist()}, "
                f"expected {expected.counts[index].tolist()}"
            )
    for start, place in places.items():
        result.repeated_in_windows += int(found.counts[place, 0])
        result.wrong_windows += 1
        result.note(f"{where}: a window at {start} that no line explains")


def _check_new_authors(
    authors: NDArray[np.int64], found: StoredWindows, stream_id: str, result: Exactness
) -> None:
    expected, stored = len(np.unique(authors)), int(found.new_authors.sum())
    if expected != stored:
        result.wrong_new_authors += 1
        result.note(f"{stream_id}: {stored} new authors in its windows, {expected} authors in the file")
