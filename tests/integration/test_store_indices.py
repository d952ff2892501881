"""The view `indices` against pipelines.core.indices, on random windows."""

import random
from collections import defaultdict
from pathlib import Path

import pytest

from connectors.clickhouse.routes import WINDOWS
from pipelines.core.indices import MIN_WINDOWS, History, index_of, norm_of
from schemas.labels import BASIC, SCALE
from schemas.records import Window
from tests.fixtures.store import NOW_MS, TestStore, window

START = NOW_MS // 10_000 * 10_000
NAMES = ("sentiment", "toxicity", *BASIC)


def random_windows(draw: random.Random) -> list[Window]:
    """Three channels: one with too little history, one usual, one where every line is the same."""
    windows = []
    for channel, count in (("twitch:new", MIN_WINDOWS - 1), ("twitch:usual", 80), ("twitch:copy", 40)):
        for number in range(count):
            level = 0.5 if channel == "twitch:copy" else draw.uniform(0.1, 0.6)
            spread = 0.0 if channel == "twitch:copy" else 0.1
            scores = [min(max(draw.gauss(level, spread), 0), 1) for _ in range(draw.choice((0, 1, 2, 5, 40)))]
            windows.append(
                window("indices", START + number * 10_000, scores, channel=channel, stream_id=channel + "/1")
            )
    return windows


def sums(record: Window, name: str) -> tuple[int, int]:
    if name in BASIC:
        place = BASIC.index(name)
        return record.basic_sum[place], record.basic_sumsq[place]
    return getattr(record, f"{name}_sum"), getattr(record, f"{name}_sumsq")


def history(windows: list[Window], name: str) -> History:
    used = [(record.scored, *sums(record, name)) for record in windows if record.scored]
    return History(
        windows=len(used),
        lines=sum(n for n, _, _ in used),
        lines_sq=sum(n * n for n, _, _ in used),
        total=sum(x for _, x, _ in used),
        total_sq=sum(xx for _, _, xx in used),
        means_sq=sum(x * x / n for n, x, _ in used),
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_view_and_core_agree(tmp_path: Path, seed: int) -> None:
    windows = random_windows(random.Random(seed))
    by_channel: dict[str, list[Window]] = defaultdict(list)
    for record in windows:
        by_channel[record.channel].append(record)
    with TestStore.open(tmp_path) as store:
        store.put(WINDOWS, *windows)
        rows = store.rows(
            "SELECT channel, toUnixTimestamp64Milli(window_start) AS start, name, low, mean, high, z "
            "FROM indices"
        )
    shown = {(row["channel"], row["start"], row["name"]): row for row in rows}
    assert len(shown) == len(NAMES) * sum(1 for record in windows if record.scored)
    for record in windows:
        for name in NAMES:
            norm = norm_of(name, history(by_channel[record.channel], name))
            index = index_of(name, *sums(record, name), record.scored, norm)
            row = shown.get((record.channel, record.start_ms, name))
            if index is None:
                assert row is None
                continue
            assert row is not None
            for field in ("low", "mean", "high", "z"):
                assert row[field] == pytest.approx(getattr(index, field), abs=1e-7), (name, field, SCALE)
