"""The oracle against a store in memory: every kind of damage must be found."""

import re
from typing import Any

import numpy as np
import pytest

from infra.local.acceptance import stored
from infra.local.acceptance.exactness import Exactness, check
from infra.local.acceptance.recording import RecordedStream, Recording
from infra.local.acceptance.stored import SQUARED
from schemas.labels import BASIC, EMOTIONS

BASE = 1_790_000_000_000
WIDTH = len(EMOTIONS) + len(BASIC) + 4


class MemoryStore:
    """Answers the oracle's three queries out of lists of rows."""

    def __init__(self, recording: Recording) -> None:
        random = np.random.default_rng(7)
        self.lines: list[dict[str, Any]] = []
        self.windows: list[dict[str, Any]] = []
        self.refused = [
            {"partition": f, "position": n, "error_class": "not_json"} for f, n in recording.unreadable
        ]
        for name, stream in recording.streams.items():
            rows = [
                {
                    "stream_id": f"run/{name}",
                    "message_id": ident,
                    "at": BASE + offset,
                    "scored": True,
                    "abstained": bool(random.random() < 0.1),
                    "counted": True,
                    "scores": random.integers(0, 10_000, WIDTH).tolist(),
                }
                for ident, offset in zip(stream.message_ids(f"run/{name}"), stream.offsets_ms, strict=True)
            ]
            self.lines += rows
            for size in (1_000, 10_000):
                self.windows += _windows_of(rows, stream, size)

    def __call__(self, query: str) -> list[dict[str, Any]]:
        table = re.search(r"FROM (\w+)", query)[1]
        rows = {"messages": self.lines, "windows": self.windows, "dead_letters": self.refused}[table]
        if (stream := re.search(r"stream_id = '([^']+)'", query)) is not None:
            rows = [row for row in rows if row["stream_id"] == stream[1]]
        limit, offset = map(int, re.search(r"LIMIT (\d+) OFFSET (\d+)", query).groups())
        return rows[offset : offset + limit]


def _windows_of(rows: list[dict[str, Any]], stream: RecordedStream, size: int) -> list[dict[str, Any]]:
    """Row by row and by dictionaries, unlike the oracle's arrays."""
    windows: dict[int, dict[str, Any]] = {}
    seen: set[int] = set()
    for row, author in zip(rows, stream.authors, strict=True):
        start = row["at"] // size * size
        window = windows.setdefault(
            start,
            {
                "stream_id": row["stream_id"],
                "size_ms": size,
                "start_ms": start,
                "messages": 0,
                "scored": 0,
                "abstained": 0,
                "authors": set(),
                "new_authors": 0,
                "sums": [0] * (WIDTH + SQUARED),
            },
        )
        window["messages"] += 1
        window["abstained" if row["abstained"] else "scored"] += 1
        window["authors"].add(author)
        window["new_authors"] += author not in seen
        seen.add(author)
        if not row["abstained"]:
            values = [*row["scores"], *(value**2 for value in row["scores"][:SQUARED])]
            window["sums"] = [a + b for a, b in zip(window["sums"], values, strict=True)]
    for window in windows.values():
        window["authors_in_window"] = len(window.pop("authors"))
    return list(windows.values())


@pytest.fixture
def recording() -> Recording:
    streams = {}
    for name in ("c/1", "c/2"):
        random = np.random.default_rng(len(name))
        count = 400
        streams[name] = RecordedStream(
            files=[0] * 300 + [1] * 100,
            numbers=[*range(1, 301), *range(1, 101)],
            offsets_ms=sorted(random.integers(0, 60_000, count).tolist()),
            authors=random.integers(0, 40, count).tolist(),
        )
    return Recording(streams, [(0, 999)])


@pytest.fixture
def store(recording: Recording) -> MemoryStore:
    return MemoryStore(recording)


def _check(store: MemoryStore, recording: Recording) -> Exactness:
    return check(store, recording, workspace="default", run_id="run")


def test_a_whole_store_is_exact(store: MemoryStore, recording: Recording) -> None:
    result = _check(store, recording)
    assert result.exact, result.examples
    assert (result.lost, result.duplicates) == (0, 0)
    assert result.lines == 801
    assert result.stored == 800
    assert result.dead_letters == {"not_json": 1}
    assert result.windows == len(store.windows)


def test_a_lost_line(store: MemoryStore, recording: Recording) -> None:
    lost = store.lines.pop(17)
    result = _check(store, recording)
    assert result.lost_lines == 1
    assert lost["message_id"] in result.examples[0]
    assert result.wrong_windows == 2
    assert not result.exact


def test_a_line_stored_twice(store: MemoryStore, recording: Recording) -> None:
    store.lines.append(dict(store.lines[3]))
    result = _check(store, recording)
    assert (result.repeated_lines, result.lost) == (1, 0)
    assert not result.exact


def test_a_line_that_the_file_does_not_hold(store: MemoryStore, recording: Recording) -> None:
    store.lines.append({**store.lines[3], "message_id": "run/c/1/4711"})
    assert _check(store, recording).foreign_lines == 1


def test_a_line_both_stored_and_refused(store: MemoryStore, recording: Recording) -> None:
    store.refused.append({"partition": 0, "position": 5, "error_class": "wrong_type"})
    result = _check(store, recording)
    assert result.duplicates == 2  # line 5 of both streams
    assert not result.exact


def test_a_lost_dead_letter(store: MemoryStore, recording: Recording) -> None:
    store.refused.clear()
    assert _check(store, recording).lost_lines == 1


def test_an_unscored_line(store: MemoryStore, recording: Recording) -> None:
    store.lines[0] |= {"scored": False, "scores": [0] * 4}
    result = _check(store, recording)
    assert result.unscored_lines == 1
    assert not result.exact


def test_a_line_at_a_wrong_time(store: MemoryStore, recording: Recording) -> None:
    store.lines[0]["at"] += 1
    result = _check(store, recording)
    assert result.displaced_lines == 1
    assert not result.exact


def test_a_lost_window(store: MemoryStore, recording: Recording) -> None:
    lost = store.windows.pop()
    result = _check(store, recording)
    assert result.lost_in_windows == lost["messages"]
    assert not result.exact


def test_a_window_that_counts_a_line_twice(store: MemoryStore, recording: Recording) -> None:
    store.windows[0]["messages"] += 1
    result = _check(store, recording)
    assert (result.repeated_in_windows, result.wrong_windows) == (1, 1)
    assert result.duplicates == 1


def test_a_window_stored_twice_and_one_of_nothing(store: MemoryStore, recording: Recording) -> None:
    store.windows += [dict(store.windows[0]), {**store.windows[0], "start_ms": 0}]
    result = _check(store, recording)
    assert result.repeated_in_windows == 1 + store.windows[0]["messages"]


@pytest.mark.parametrize("column", [0, WIDTH - 1, WIDTH, WIDTH + SQUARED - 1])
def test_a_sum_that_is_off_by_one(store: MemoryStore, recording: Recording, column: int) -> None:
    store.windows[0]["sums"][column] += 1
    result = _check(store, recording)
    assert (result.wrong_windows, result.lost, result.duplicates) == (1, 0, 0)
    assert not result.exact


def test_authors_that_are_off(store: MemoryStore, recording: Recording) -> None:
    store.windows[0]["authors_in_window"] += 1
    assert _check(store, recording).wrong_windows == 1


def test_new_authors_that_are_off(store: MemoryStore, recording: Recording) -> None:
    store.windows[0]["new_authors"] += 1
    result = _check(store, recording)
    assert result.wrong_new_authors == 1
    assert not result.exact


def test_a_late_line_belongs_to_no_window(store: MemoryStore, recording: Recording) -> None:
    stream = recording.streams["c/1"]
    store.lines[0]["counted"] = False
    rows = [row for row in store.lines if row["stream_id"] == "run/c/1"][1:]
    rest = RecordedStream(stream.files[1:], stream.numbers[1:], stream.offsets_ms[1:], stream.authors[1:])
    store.windows = [row for row in store.windows if row["stream_id"] != "run/c/1"]
    store.windows += [row for size in (1_000, 10_000) for row in _windows_of(rows, rest, size)]
    result = _check(store, recording)
    assert result.exact, result.examples
    assert result.late == 1


def test_answers_longer_than_a_page(
    store: MemoryStore, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "PAGE", 100)
    result = _check(store, recording)
    assert result.exact, result.examples
    assert result.stored == 800
