"""Alerts against ground truth: what was found, how soon, and what was raised for nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any, Final

from connectors.simulator.recording import Truth

ATTACKS: Final = frozenset({"attack.raid", "attack.wave", "spam.links"})
HOSTILE: Final = ATTACKS | {"flood.account"}
_WANTED: Final = {"account_flood": HOSTILE - {"attack.wave"}, "wave": ATTACKS}
"""A wave that happens to list the channel of another event is no finding of that event."""
SLACK_MS: Final = 30_000
"""An alert that is raised so long after an event's last line still counts for it."""
WAVE_SHARE: Final = 0.75
"""Of a wave's channels that one alert must list."""
DRIP_LIMIT_S: Final = 90.0
QUICK_ACCOUNTS: Final = 20
QUICK_RAMP_S: Final = 10.0


@dataclass(frozen=True)
class Raised:
    """An alert episode; times in ms since its stream began (all streams of a scenario begin together)."""

    kind: str
    streams: tuple[str, ...]
    started_ms: int
    detected_ms: int
    ended_ms: int

    def concerns(self, truth: Truth) -> bool:
        """Whether it stands for this event: on one of its channels, at its time."""
        return (
            bool(set(self.streams) & set(truth.channels))
            and self.ended_ms >= truth.started_at_ms - 3_000
            and self.detected_ms <= truth.ended_at_ms + SLACK_MS
            and self.started_ms <= truth.ended_at_ms
        )


@dataclass
class Tally:
    """Counts of one detector set over any number of scenarios."""

    stream_hours: float = 0.0
    events: list[tuple[Truth, float | None]] = field(default_factory=list)
    """Hostile events, each with its seconds to detection from its first line; None where it was missed."""
    episodes: int = 0
    false_hostile: list[Raised] = field(default_factory=list)
    attacks: int = 0
    false_attacks: int = 0
    waves: list[bool] = field(default_factory=list)
    """Whether one attack.wave alert listed the wave's channels."""
    friends: list[bool] = field(default_factory=list)
    """Of friendly raids: whether one was recognised."""
    friends_attacked: int = 0
    benign_attacked: dict[str, int] = field(default_factory=dict)

    def add(self, truths: Sequence[Truth], raised: Sequence[Raised], stream_hours: float) -> None:
        """Take one scenario."""
        self.stream_hours += stream_hours
        hostile = [truth for truth in truths if truth.hostile]
        alerts = [alert for alert in raised if alert.kind in HOSTILE]
        for truth in hostile:
            wanted = _WANTED.get(truth.kind, ATTACKS - {"attack.wave"})
            self.events.append((truth, _delay_s(truth, [a for a in alerts if a.kind in wanted])))
            if truth.kind == "wave":
                self.waves.append(any(_is_the_wave(alert, truth) for alert in alerts))
        for alert in alerts:
            wrong = not any(alert.concerns(truth) for truth in hostile)
            self.episodes += 1
            self.attacks += alert.kind in ATTACKS
            self.false_attacks += wrong and alert.kind in ATTACKS
            if wrong:
                self.false_hostile.append(alert)
                for truth in truths:
                    if alert.concerns(truth):
                        self.benign_attacked[truth.family] = self.benign_attacked.get(truth.family, 0) + 1
        friendly = [alert for alert in raised if alert.kind == "raid.friendly"]
        self.friends += [
            any(alert.concerns(truth) for alert in friendly)
            for truth in truths
            if truth.kind == "friendly_raid"
        ]

    def figures(self) -> dict[str, Any]:
        """The figures that the benchmark publishes."""
        attacks = [(t, s) for t, s in self.events if t.kind != "account_flood"]
        drips = [s for t, s in self.events if t.kind == "slow_drip"]
        quick = [
            s - ((t.fifth_account_ms or t.started_at_ms) - t.started_at_ms) / 1000
            for t, s in self.events
            if s is not None and t.kind == "hate_raid" and _is_quick(t)
        ]
        found = [s for _, s in self.events if s is not None]
        return {
            "stream_hours": round(self.stream_hours, 1),
            "events": len(self.events),
            "recall": _share(found, self.events),
            "precision": round(1 - len(self.false_hostile) / self.episodes, 3) if self.episodes else None,
            "false_per_stream_hour": round(len(self.false_hostile) / self.stream_hours, 3),
            "seconds": _times(found),
            "attacks": {
                "recall": _share([s for _, s in attacks if s is not None], attacks),
                "precision": round(1 - self.false_attacks / self.attacks, 3) if self.attacks else None,
            },
            "quick_raids_from_fifth_account": {"events": len(quick), **_times(quick)},
            "drips": {
                "events": len(drips),
                "within_90_s": _share([s for s in drips if s is not None and s <= DRIP_LIMIT_S], drips),
            },
            "waves": {
                "events": len(self.waves),
                "as_one_alert": _share(list(filter(None, self.waves)), self.waves),
            },
            "friendly_raids": {
                "events": len(self.friends),
                "recognised": _share(list(filter(None, self.friends)), self.friends),
            },
        }

    def families(self) -> dict[str, dict[str, Any]]:
        """Per family of hostile events: how many there were and were found, and how soon."""
        by_family: dict[str, list[float | None]] = {}
        for truth, seconds in self.events:
            by_family.setdefault(truth.family, []).append(seconds)
        return {
            family: {
                "events": len(times),
                "found": sum(seconds is not None for seconds in times),
                **_times([seconds for seconds in times if seconds is not None]),
            }
            for family, times in sorted(by_family.items())
        }


def _delay_s(truth: Truth, alerts: Iterable[Raised]) -> float | None:
    start = truth.first_hostile_ms if truth.first_hostile_ms is not None else truth.started_at_ms
    times = [max(0, alert.detected_ms - start) / 1000 for alert in alerts if alert.concerns(truth)]
    return min(times, default=None)


def _is_the_wave(alert: Raised, truth: Truth) -> bool:
    covered = set(alert.streams) & set(truth.channels)
    return (
        alert.kind == "attack.wave"
        and alert.concerns(truth)
        and len(covered) >= WAVE_SHARE * len(truth.channels)
    )


def _is_quick(truth: Truth) -> bool:
    return truth.accounts >= QUICK_ACCOUNTS and float(truth.parameters["ramp_s"]) <= QUICK_RAMP_S


def _share(part: Sequence[object], whole: Sequence[object]) -> float | None:
    return round(len(part) / len(whole), 3) if whole else None


def _times(seconds: Sequence[float]) -> dict[str, float | None]:
    if not seconds:
        return {"median_s": None, "p90_s": None}
    p90 = quantiles(seconds, n=10)[-1] if len(seconds) > 1 else seconds[0]
    return {"median_s": round(median(seconds), 1), "p90_s": round(p90, 1)}
