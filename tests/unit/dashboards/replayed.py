"""A store filled by the bundled recording: the records, the model, the windows and the detectors, as live."""

import time
from itertools import islice

from connectors.core.pseudonyms import Pseudonyms
from connectors.replay.records import recorded_records
from infra.cli.demo import BUNDLED
from pipelines.core.detection.engine import Engine
from pipelines.core.scored import score_integers, score_request, scored_message
from pipelines.core.windows import aggregate
from schemas.records import ChatMessage, DeadLetter, ScoredMessage
from serving.scorer.backend import Scorer, load_scorer
from tests.fixtures.store import TestStore, alert, event, line

WORKSPACE = "default"
NOW_MS = int(time.time()) * 1000
PSEUDONYMS = Pseudonyms("test", bytes(32), "replay")


def fill(store: TestStore) -> list[ScoredMessage]:
    """Replay the bundled recording so that it ends now; gives the scored lines."""
    records = list(
        recorded_records(
            [BUNDLED],
            run_id="demo",
            started_at_ms=NOW_MS - 20_000,
            pseudonyms=PSEUDONYMS,
            dead_letter=_unexpected,
            now_ms=lambda: NOW_MS,
        )
    )
    scored = _score(load_scorer(), [record for record in records if record.kind == "message"])
    windows = aggregate(scored, 1_000) + aggregate(scored, 10_000)
    engine = Engine()
    feed = sorted(
        [(record.sent_at, 1, record) for record in records]
        + [(window.start_ms + 1_000, 0, window) for window in windows if window.size_ms == 1_000],
        key=lambda item: item[:2],
    )
    out = engine.process(record for _, _, record in feed)
    store.put("chat.messages.v1", *records)
    store.put("chat.scored.v1", *scored)
    store.put("pulse.windows.v1", *windows)
    store.put("pulse.activity.v1", *out.activity)
    store.put("pulse.alerts.v1", *out.alerts)
    first = scored[0]
    streams = tuple(sorted({line.stream_id for line in scored}))[:2]
    where = {"channel": first.channel, "stream_id": first.stream_id}
    inside = first.sent_at + 120_000
    never = 4_102_444_800_000
    store.put(
        "chat.events.v1",
        event(
            WORKSPACE, "gap-1", at=inside, span_from=inside - 5_000, span_to=inside, expires_at=never, **where
        ),
        event(WORKSPACE, "raid-1", kind="raid", at=inside, viewers=50, expires_at=never, **where),
    )
    store.put(
        "pulse.alerts.v1",
        alert(
            WORKSPACE,
            "wave-1",
            kind="attack.wave",
            started_at=inside,
            detected_at=inside + 4_000,
            clusters=("ab12",),
            authors=40,
            messages=90,
            channels=streams,
            evidence=(first.message_id,),
            **where,
        ),
    )
    recently = {"started_at": NOW_MS - 60_000, "detected_at": NOW_MS - 50_000, **where}
    store.put(
        "pulse.alerts.v1",
        alert(WORKSPACE, "flood-1", kind="flood.account", **recently),
        alert(WORKSPACE, "mood-1", kind="mood.toxic", **recently),
    )
    silent = line(WORKSPACE, "silent-1", stream_id="silent", sent_at=NOW_MS - 90_000, expires_at=never)
    store.put("chat.messages.v1", silent)
    store.put(
        "chat.dlq.v1",
        DeadLetter(
            dlq_id="chat.messages.v1/0/7",
            workspace=WORKSPACE,
            stage="score",
            source="chat.messages.v1",
            partition=0,
            position=7,
            error_class="not_json",
            error="line 1",
            raw=b"{",
            seen_at=inside,
        ),
    )
    return scored


def _score(scorer: Scorer, lines: list[ChatMessage]) -> list[ScoredMessage]:
    found: list[ScoredMessage] = []
    waiting = iter(lines)
    while chunk := list(islice(waiting, 2_048)):
        answer = scorer.score(score_request(chunk))
        langs, abstained = answer.column("lang").to_pylist(), answer.column("abstained").to_pylist()
        integers = score_integers(answer).tolist()
        found += [
            scored_message(
                line,
                integers[row],
                lang=langs[row],
                abstained=abstained[row],
                model=scorer.name,
                model_version=scorer.version,
                scored_at=line.received_at + 100,
                late_ms=0,
                state_ttl_ms=0,
            )
            for row, line in enumerate(chunk)
        ]
    return found


def _unexpected(letter: DeadLetter) -> None:
    raise AssertionError(f"the bundled recording has a bad line: {letter.error}")
