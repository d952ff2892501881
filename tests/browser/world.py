"""A small deterministic workspace: what the fake API tells. Time moves only when `advance` is called."""

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from schemas.labels import EMOTIONS

Row = dict[str, Any]
START_MS = 1_773_500_400_000
"""2026-03-14 15:00:00 UTC: the world's present when it begins."""
HISTORY_S = 1500

TEXTS = (
    "that chorus gave me chills",
    "best stream this year",
    "LETS GOOOO",
    "sound is a bit quiet on the left",
    "can you play the new one again?",
    "Это лучший концерт, спасибо!",
    "звук пропал у всех?",
    "qué temazo, me encanta",
    "新曲が最高すぎる",
    "first time here, hello from Kazan",
    "the drop at the end was unreal",
    "why is the camera so dark",
)
HOSTILE = (
    "<img src=x onerror=\"document.title='pwned'\">",
    "<script>document.title='pwned'</script>",
    "${alert(1)} {{constructor.constructor('alert(1)')()}} <!-- --> </li></ol>",
    "\u202egnp.exe \u200b\u0000 Z̷̡̛a̶l̴g̷o̸ " + "A" * 400,
)
RAID_WHY = (
    "63 new accounts wrote near-identical hostile lines within 20 s; the chat is 4.1 times faster than usual."
)
TOXIC = "you are all worthless and should leave"


def noise(*parts: object) -> float:
    """A figure of 0..1 that depends on the parts alone."""
    return zlib.crc32(repr(parts).encode()) / 0xFFFFFFFF


@dataclass
class Stream:
    """One stream: `episodes` are (kind, seconds from the start, seconds from the start, strength)."""

    channel: str
    title: str
    rate: float
    mood: float
    episodes: tuple[tuple[str, int, int, float], ...] = ()
    ended: bool = False
    freshness_s: float = 0.6
    coverage: float = 0.98
    shift_ms: int = 0
    run: str = ""
    first_at: int = field(init=False)
    _rows: dict[int, Row | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.first_at = START_MS - HISTORY_S * 1000 - self.shift_ms

    @property
    def stream_id(self) -> str:
        return f"{self.run}{self.channel.split(':', 1)[1]}/2026-03-14"

    @property
    def platform(self) -> str:
        return self.channel.split(":", 1)[0]

    def strength(self, kind: str, second: int) -> float:
        for name, begin, end, strength in self.episodes:
            if name == kind and begin <= second < end:
                return strength * min(1.0, (second - begin + 1) / 6, (end - second) / 20)
        return 0.0

    def messages_in(self, second: int) -> int:
        wave = 1 + 0.35 * math.sin(second / 47) + 0.2 * math.sin(second / 11)
        boost = 1 + 3 * self.strength("raid", second) + 4 * self.strength("hype", second)
        return math.floor(self.rate * wave * boost * (0.6 + 0.8 * noise(self.channel, second, "n")))

    def row(self, second: int) -> Row | None:
        """What was seen in that second of the stream; None where nobody looked."""
        if second not in self._rows:
            self._rows[second] = self._make_row(second)
        return self._rows[second]

    def _make_row(self, second: int) -> Row | None:
        if self.strength("nodata", second):
            return None
        raid, hype = self.strength("raid", second), self.strength("hype", second)
        wobble = 0.18 * math.sin(second / 61) + 0.25 * (noise(self.channel, second, "s") - 0.5)
        mood = max(-1.0, min(1.0, self.mood + wobble + 0.45 * hype - 0.9 * raid))
        toxicity = min(0.95, 0.04 + 0.05 * noise(self.channel, second, "t") + 0.62 * raid)
        return {
            "messages": self.messages_in(second),
            "scored": not self.strength("unscored", second) and self.coverage > 0.5,
            "mood": mood,
            "toxicity": toxicity,
            "basic": {
                "joy": max(0.02, 0.2 + 0.25 * mood + 0.2 * hype),
                "surprise": 0.05 + 0.12 * hype + 0.03 * noise(self.channel, second, "su"),
                "sadness": max(0.02, 0.06 - 0.05 * mood),
                "fear": 0.02 + 0.03 * raid,
                "anger": max(0.02, 0.05 - 0.06 * mood + 0.35 * raid),
                "disgust": 0.02 + 0.12 * raid,
                "neutral": 0.45 - 0.2 * max(hype, raid),
            },
        }


def default_streams() -> list[Stream]:
    return [
        Stream(
            "twitch:nova_live",
            "Album release night",
            9,
            0.28,
            (
                ("hype", 520, 640, 0.9),
                ("nodata", 845, 900, 1),
                ("unscored", 980, 1040, 1),
                ("raid", 1290, 1700, 1),
            ),
        ),
        Stream("youtube:kvartirnik", "Квартирник в прямом эфире", 4, 0.12, (("hype", 900, 1000, 0.7),)),
        Stream("twitch:hostile", "Texts that try to break the page", 1.5, -0.2),
        Stream("twitch:pixelpunk", "Speedrun marathon", 5, 0.05, freshness_s=48),
        Stream("twitch:marimba", "Practice session", 2, 0.2, coverage=0.21),
        Stream("replay:forsen", "", 14, 0.02, shift_ms=9 * 3600_000, run="run-7f3a/"),
        Stream("replay:lofi_garden", "", 3, 0.33, ended=True, shift_ms=30 * 3600_000, run="run-7f3a/"),
    ]


class World:
    """Streams, their history and their alerts at one moment."""

    def __init__(self, streams: list[Stream] | None = None) -> None:
        self.streams = {s.stream_id: s for s in (default_streams() if streams is None else streams)}
        self.elapsed_s = HISTORY_S
        self.alerts: dict[str, Row] = {}
        self.marks: dict[str, list[Row]] = {}
        self.sources: dict[str, Row] = {}
        if streams is None:
            self.source("twitch:nova_live", "live", gaps_24h=2, missed_s_24h=41.2, last_gap_at=START_MS)
            self.source("twitch:pixelpunk", "degraded", reason="no line and no PONG for 10 s")
            self.source("twitch:suspended", "blocked", reason="This channel has been suspended.")
        if streams is None:
            self._past_alerts()

    def advance(self, seconds: int = 1) -> None:
        self.elapsed_s += seconds

    def source(self, channel: str, state: str, **changes: Any) -> Row:
        """Where the source of a channel stands now."""
        row = {
            "channel": channel,
            "platform": channel.split(":", 1)[0],
            "state": state,
            "reason": "",
            "since": START_MS - 48_000,
            "gaps_24h": 0,
            "missed_s_24h": 0.0,
            "recovered_24h": 0,
            "last_gap_at": None,
        }
        self.sources[channel] = row | changes
        return self.sources[channel]

    def now(self, stream: Stream) -> int:
        """The newest second of the stream's own clock, in ms."""
        silent = stream.freshness_s if stream.freshness_s > 5 else 0
        length = HISTORY_S if stream.ended else self.elapsed_s
        return stream.first_at + int((length - silent) * 1000)

    def raise_alert(self, stream_id: str, kind: str, severity: str, summary: str, **changes: Any) -> Row:
        """A new or changed alert of the stream, started half a minute ago unless `changes` says otherwise."""
        at = self.now(self.streams[stream_id])
        alert_id = changes.pop("alert_id", f"{zlib.crc32(f'{stream_id} {kind} {at}'.encode()):08x}")
        known = self.alerts.get(alert_id, {})
        row = {
            "schema_version": 1,
            "workspace": "default",
            "channel": self.streams[stream_id].channel,
            "stream_id": stream_id,
            "alert_id": alert_id,
            "revision": known.get("revision", 0) + 1,
            "kind": kind,
            "severity": severity,
            "state": "open",
            "started_at": at - 30_000,
            "detected_at": at - 24_000,
            "ended_at": None,
            "why": {"summary": summary},
            "evidence": [],
            "clusters": [],
            "authors": 41,
            "messages": 188,
            "playbook": None,
            "channels": [stream_id],
        } | changes
        self.alerts[alert_id] = row
        return row

    def _past_alerts(self) -> None:
        nova, russian, _, pixel, *_ = self.streams.values()
        base = nova.first_at
        self.raise_alert(
            nova.stream_id,
            "attack.raid",
            "critical",
            RAID_WHY,
            alert_id="a1raid",
            started_at=base + 1_290_000,
            detected_at=base + 1_297_000,
            why={
                "summary": RAID_WHY,
                "rate_ratio": 4.1,
                "new_accounts": 63,
                "cluster_share": 0.72,
                "z_score": 8.94,
            },
            authors=63,
            messages=412,
            playbook="attack.raid/critical",
        )
        self.raise_alert(
            nova.stream_id,
            "mood.toxic",
            "high",
            "Toxicity rose from 6 % to 58 % of the lines within 30 s.",
            alert_id="a2toxic",
            started_at=base + 1_310_000,
            detected_at=base + 1_322_000,
        )
        self.raise_alert(
            nova.stream_id,
            "hype",
            "info",
            "The chat is 5 times faster than usual and the mood is high.",
            alert_id="a3hype",
            started_at=base + 520_000,
            detected_at=base + 526_000,
            ended_at=base + 640_000,
            state="closed",
        )
        self.raise_alert(
            nova.stream_id,
            "blind",
            "medium",
            "No sign of the stream for 55 s.",
            alert_id="a4blind",
            started_at=base + 845_000,
            detected_at=base + 860_000,
            ended_at=base + 900_000,
            state="closed",
            authors=0,
            messages=0,
        )
        self.raise_alert(
            russian.stream_id,
            "mood.shift",
            "low",
            "The mood turned from +0.31 to +0.02 within a minute.",
            alert_id="b1shift",
        )
        self.raise_alert(
            pixel.stream_id,
            "blind",
            "medium",
            "No sign of the stream for 48 s.",
            alert_id="c1blind",
            authors=0,
            messages=0,
        )


def seconds_between(start_ms: int, end_ms: int) -> Iterator[int]:
    yield from range(start_ms - start_ms % 1000, end_ms, 1000)


def interval(mean: float, scored: int, width: float) -> Row:
    half = width / math.sqrt(max(1, scored))
    return {"mean": mean, "low": max(-1.0, mean - half), "high": min(1.0, mean + half)}


def fine_emotions(basic: Row) -> Row:
    return {name: basic.get(name, 0.02 + 0.1 * noise(name)) for name in EMOTIONS}
