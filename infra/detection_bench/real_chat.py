"""Untouched recorded chat: what is raised there though nobody injected anything, and its friendly raids."""

import gzip
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from infra.cli.recorded_detection import RecordedDetection
from infra.detection_bench.scoring import ATTACKS
from serving.scorer.backend import Scorer

ANNOUNCED: Final = re.compile(
    r"just raided the channel with \d+ viewers|^\s*\d+ raiders from \S+ ha(?:ve|s) joined"
)
GUESTS: Final = 5
"""Newcomers who must speak within GUESTS_MS of an announcement before it is a raid to recognise."""
GUESTS_MS: Final = 120_000
RAID_MS: Final = 240_000


class _Line(msgspec.Struct):
    stream: str
    offset_ms: float
    author: str
    text: str


@dataclass(frozen=True)
class Episode:
    """An alert episode on a recorded stream; times in ms as in the file."""

    stream: str
    kind: str
    started_ms: int
    ended_ms: int


def measure(file: Path, scorer: Scorer | None) -> dict[str, Any]:
    """Hours of chat, episodes by kind, and each hostile one by stream and time (never by text).

    `friendly_raids`: how many announced raids are recognised, as they are and with the announcement taken
    out; None where the recording announces none.
    """
    episodes = _detected(file, scorer)
    hours = sum(_hours(_lines(file)).values())
    hostile = [episode for episode in episodes if episode.kind in ATTACKS]
    return {
        "stream_hours": round(hours, 1),
        "alerts": dict(sorted(Counter(episode.kind for episode in episodes).items())),
        "hostile": [[e.stream, e.kind, e.started_ms] for e in hostile],
        "friendly_raids": _friendly_raids(file, scorer, episodes),
    }


def _friendly_raids(file: Path, scorer: Scorer | None, episodes: Sequence[Episode]) -> dict[str, Any] | None:
    raids = list(_raids(_lines(file)))
    if not raids:
        return None
    with tempfile.TemporaryDirectory(prefix="pulse-bench-") as folder:
        silent = Path(folder) / "silent.jsonl"
        with silent.open("wb") as out:
            out.writelines(raw for raw in _raw(file) if not ANNOUNCED.search(_decode(raw).text))
        runs = {"with_announcement": episodes, "without": _detected(silent, scorer)}
    return {
        "raids": len(raids),
        **{
            name: {
                "recognised": round(_touched(raids, found, {"raid.friendly"}) / len(raids), 3),
                "called_attacks": _touched(raids, found, ATTACKS),
            }
            for name, found in runs.items()
        },
    }


def _detected(file: Path, scorer: Scorer | None) -> list[Episode]:
    return [
        Episode(
            found.stream,
            found.alert.kind,
            found.alert.started_at - found.origin_ms,
            (found.alert.ended_at or found.alert.detected_at) - found.origin_ms,
        )
        for found in RecordedDetection([file], scorer, refused=lambda _: None).episodes()
    ]


def _touched(
    raids: Sequence[tuple[str, int]], episodes: Sequence[Episode], kinds: frozenset[str] | set[str]
) -> int:
    return sum(
        any(
            e.kind in kinds and e.stream == stream and e.started_ms <= at + RAID_MS and e.ended_ms >= at
            for e in episodes
        )
        for stream, at in raids
    )


def _raids(lines: Iterator[_Line]) -> Iterator[tuple[str, int]]:
    """Stream and time of each announcement after which enough people speak who never spoke on the channel."""
    known: dict[str, set[str]] = defaultdict(set)
    waiting: dict[str, list[tuple[int, set[str]]]] = defaultdict(list)
    for line in lines:
        at, channel = int(line.offset_ms), line.stream.split("/")[0]
        new = line.author not in known[channel]
        known[channel].add(line.author)
        open_raids = waiting[line.stream]
        for raid in open_raids:
            if new and at <= raid[0] + GUESTS_MS:
                raid[1].add(line.author)
                if len(raid[1]) == GUESTS:
                    yield line.stream, raid[0]
        if ANNOUNCED.search(line.text):
            open_raids.append((at, set()))


def _hours(lines: Iterator[_Line]) -> dict[str, float]:
    spans: dict[str, tuple[float, float]] = {}
    for line in lines:
        first, last = spans.get(line.stream, (line.offset_ms, line.offset_ms))
        spans[line.stream] = min(first, line.offset_ms), max(last, line.offset_ms)
    return {stream: (last - first) / 3_600_000 for stream, (first, last) in spans.items()}


def _raw(file: Path) -> Iterator[bytes]:
    with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as source:
        yield from source


def _lines(file: Path) -> Iterator[_Line]:
    return map(_decode, _raw(file))


_decode = msgspec.json.Decoder(_Line).decode
