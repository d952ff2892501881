"""Rows of the fake API, made from a `World` in the shape of the console's API contract."""

from typing import Any

from tests.browser.world import (
    HOSTILE,
    TEXTS,
    TOXIC,
    Row,
    Stream,
    World,
    fine_emotions,
    interval,
    noise,
    seconds_between,
)

SPARK_STEP_MS = 10_000
SEVERITIES = ("info", "low", "medium", "high", "critical")


def stream_row(world: World, stream: Stream) -> Row:
    now = world.now(stream)
    recent = point(world, stream, now - 30_000, 30_000) or {}
    open_alerts = [
        a for a in world.alerts.values() if a["stream_id"] == stream.stream_id and a["state"] != "closed"
    ]
    ranks = [SEVERITIES.index(a["severity"]) for a in open_alerts]
    scored = stream.coverage > 0.5
    basic = recent.get("basic", {})
    top = sorted(((b["mean"], name) for name, b in basic.items() if name != "neutral"), reverse=True)[:3]
    spark = [point(world, stream, now - i * SPARK_STEP_MS, SPARK_STEP_MS) for i in range(60, 0, -1)]
    return {
        "channel": stream.channel,
        "platform": stream.platform,
        "stream_id": stream.stream_id,
        "title": stream.title,
        "first_at": stream.first_at,
        "last_at": now,
        "last_seen_at": now,
        "ended": stream.ended,
        "freshness_s": stream.freshness_s,
        "messages": 12_345,
        "rate_per_s": 0.0 if stream.ended else recent.get("messages", 0) / 30,
        "coverage": stream.coverage,
        "sentiment": recent.get("sentiment") if scored else None,
        "toxicity": recent.get("toxicity") if scored else None,
        "top_emotions": [{"label": name, "mean": mean} for mean, name in top] if scored else [],
        "open_alerts": len(open_alerts),
        "worst_severity": SEVERITIES[max(ranks)] if ranks else None,
        "spark": [p["messages"] if p else None for p in spark],
    }


def point(world: World, stream: Stream, start_ms: int, step_ms: int) -> Row | None:
    """One point of the windows answer; None where no second of it was seen."""
    rows = []
    for ms in seconds_between(max(start_ms, stream.first_at), min(start_ms + step_ms, world.now(stream))):
        row = stream.row((ms - stream.first_at) // 1000)
        if row is not None:
            rows.append(row)
    if not rows:
        return None
    messages = sum(r["messages"] for r in rows)
    scored = sum(r["messages"] for r in rows if r["scored"])
    known = [r for r in rows if r["scored"] and r["messages"]]
    weight = sum(r["messages"] for r in known)

    def mean(pick: Any) -> float:
        return float(sum(pick(r) * r["messages"] for r in known) / weight)

    basic = (
        {name: interval(mean(lambda r, n=name: r["basic"][n]), weight, 0.3) for name in rows[0]["basic"]}
        if known
        else {}
    )
    return {
        "start_ms": start_ms,
        "messages": messages,
        "scored": scored,
        "abstained": 0,
        "coverage": scored / messages if messages else 1.0,
        "authors": None,
        "new_authors": messages // 5,
        "sentiment": interval(mean(lambda r: r["mood"]), weight, 0.55) if known else None,
        "toxicity": interval(mean(lambda r: r["toxicity"]), weight, 0.35) | {} if known else None,
        "hate": mean(lambda r: r["toxicity"]) * 0.4 if known else None,
        "sarcasm": 0.05 if known else None,
        "basic": basic,
        "emotions": fine_emotions({n: b["mean"] for n, b in basic.items()}) if known else {},
    }


def points(world: World, stream: Stream, start: int, end: int, step_ms: int) -> list[Row]:
    found = (
        point(world, stream, at, step_ms)
        for at in range(start - start % step_ms, min(end, world.now(stream)), step_ms)
    )
    return [p for p in found if p is not None]


def activity(world: World, stream: Stream, start: int, end: int) -> list[Row]:
    rows = []
    for ms in seconds_between(max(start, stream.first_at), min(end, world.now(stream))):
        seen = stream.row((ms - stream.first_at) // 1000)
        if seen is None:
            continue
        rows.append(
            {
                "second_ms": ms,
                "messages": seen["messages"],
                "authors": seen["messages"],
                "first_time_authors": seen["messages"] // 4,
                "duplicates": 0,
                "links": 0,
                "emotes": 0,
            }
        )
    return rows


def messages(world: World, stream: Stream, start: int, end: int) -> list[Row]:
    """Chat lines of [start, end), the newest first."""
    rows = []
    for ms in seconds_between(max(start, stream.first_at), min(end, world.now(stream))):
        second = (ms - stream.first_at) // 1000
        for i in range(min(3, stream.messages_in(second))):
            rows.append(message(stream, second, ms + 300 * i, i))
    return rows[::-1]


def message(stream: Stream, second: int, sent_at: int, i: int) -> Row:
    luck = noise(stream.channel, second, i)
    toxic = luck < 0.06 or (stream.strength("raid", second) > 0 and luck < 0.6)
    texts = HOSTILE if stream.channel == "twitch:hostile" else TEXTS
    text = TOXIC if toxic else texts[int(luck * 997) % len(texts)]
    return {
        "message_id": f"{stream.stream_id}/{second}-{i}",
        "sent_at": sent_at,
        "author": f"k1.{noise(stream.channel, int(luck * 60)).hex()[4:14]}",
        "text": text,
        "lang": "en",
        "emotions": {"anger": 0.71, "annoyance": 0.3, "neutral": 0.1}
        if toxic
        else {"joy": 0.62, "excitement": 0.31, "neutral": 0.2},
        "basic": {},
        "sentiment": -0.8 if toxic else 0.5 - luck,
        "toxicity": 0.93 if toxic else luck / 4,
        "hate": 0.2 + luck if toxic else 0.01,
        "sarcasm": 0.05,
        "abstained": luck > 0.97,
        "scored": True,
    }
