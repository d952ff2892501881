"""Job `score` on the real cluster: each id once, exact windows, dead letters with their bytes."""

import json
from collections import Counter
from typing import Any

import msgspec
import pytest

from pipelines.core.windows import aggregate
from schemas.codecs import MAX_RECORD_BYTES, encode
from schemas.records import ChatMessage, DeadLetter, ScoredMessage, Window
from tests.flink.conftest import Cluster

pytestmark = pytest.mark.stack

BASE = 1_795_000_000_000
HOUR = 3_600_000

GARBAGE: list[tuple[bytes, str]] = [
    (b"not json at all", "not_json"),
    (b"\xff\xfe\x00garbage", "not_json"),
    (b'{"schema_version": 1, "text": "half', "not_json"),
    (b"[1, 2, 3]", "wrong_type"),
    (b'{"workspace": "default"}', "missing_field"),
    (b'{"schema_version": 99}', "unknown_version"),
    (b'{"text": "' + b"x" * MAX_RECORD_BYTES + b'"}', "oversized"),
]


def line(number: int, stream: str, sent_at: int, **fields: Any) -> ChatMessage:
    return ChatMessage(
        channel=f"twitch:{stream}",
        stream_id=f"{stream}/1",
        message_id=f"{stream}-{number}",
        kind=fields.pop("kind", "message"),
        sent_at=sent_at,
        received_at=BASE + 10 * HOUR,
        expires_at=BASE + 48 * HOUR,
        author=f"k.{number % 37}",
        text=fields.pop("text", f"line {number} 😀 привет"),
        **fields,
    )


def scored_of(values: list[bytes], stream: str) -> list[ScoredMessage]:
    rows = [msgspec.json.decode(value, type=ScoredMessage) for value in values]
    return [row for row in rows if row.channel == f"twitch:{stream}"]


def test_each_id_is_scored_once_and_windows_add_up(cluster: Cluster) -> None:
    lines = [line(n, "sums", BASE + n * 37, amount=1.5 if n % 7 == 0 else None) for n in range(2_000)]
    lines += [line(n, "sums", BASE + n * 37, text="") for n in range(2_000, 2_010)]
    again = [msgspec.structs.replace(lines[n], received_at=BASE + 11 * HOUR) for n in range(0, 2_000, 9)]
    beat = line(9_999, "sums", BASE + 80_000, kind="heartbeat", text="")
    cluster.produce("chat.messages.v1", "twitch:sums", [encode(row) for row in [*lines, *again, beat]])
    end = line(10_000, "sums", BASE + 80_500)
    cluster.produce("chat.messages.v1", "twitch:sums", [encode(end)])

    values = cluster.read("chat.scored.v1", lambda rows: any(b'"sums-10000"' in row for row in rows))
    scored = scored_of(values, "sums")

    assert Counter(row.message_id for row in scored) == Counter({row.message_id: 1 for row in [*lines, end]})
    asked = {id_: n for id_, n in cluster.scorer.calls.items() if id_.startswith("sums-")}
    assert asked == {row.message_id: 1 for row in [*lines, end]}
    expected = {
        (w.size_ms, w.start_ms): w for size_ms in (1_000, 10_000) for w in aggregate(scored, size_ms=size_ms)
    }
    assert windows_of(cluster, "sums", expected) == expected


def test_late_lines_correct_their_window_until_the_state_expires(cluster: Cluster) -> None:
    now = BASE + 5 * HOUR
    rows = [
        line(1, "late", now),
        line(2, "late", now - 29 * 60_000),
        line(3, "late", now - 29 * 60_000 + 10),
        line(4, "late", now - 31 * 60_000),
        line(5, "late", now + 1),
    ]
    cluster.produce("chat.messages.v1", "twitch:late", [encode(row) for row in rows])
    values = cluster.read("chat.scored.v1", lambda found: any(b'"late-5"' in row for row in found))
    scored = scored_of(values, "late")

    assert {row.message_id: row.counted for row in scored} == {
        "late-1": True,
        "late-2": True,
        "late-3": True,
        "late-4": False,
        "late-5": True,
    }
    expected = {
        (w.size_ms, w.start_ms): w for size_ms in (1_000, 10_000) for w in aggregate(scored, size_ms=size_ms)
    }
    assert sum(w.messages for (size, _), w in expected.items() if size == 1_000) == 4
    assert windows_of(cluster, "late", expected) == expected


def test_what_cannot_be_read_is_a_dead_letter_and_hides_nothing(cluster: Cluster) -> None:
    good = line(1, "dirty", BASE)
    wrong = json.loads(encode(good)) | {"sent_at": "yesterday"}
    future = json.loads(encode(good)) | {"sent_at": BASE + 20 * HOUR}
    bad = [*GARBAGE, (json.dumps(wrong).encode(), "wrong_type"), (json.dumps(future).encode(), "absurd_time")]
    cluster.produce("chat.messages.v1", "twitch:dirty", [*(value for value, _ in bad), None, encode(good)])

    cluster.read("chat.scored.v1", lambda rows: any(b'"dirty-1"' in row for row in rows))
    letters = [
        msgspec.json.decode(value, type=DeadLetter)
        for value in cluster.read("chat.dlq.v1", lambda rows: len(rows) >= len(bad) + 1)
    ]

    found = Counter((letter.raw, letter.error_class) for letter in letters)
    assert found == Counter([*bad, (b"", "empty_record")])
    assert all(
        letter.dlq_id == f"chat.messages.v1/{letter.partition}/{letter.position}" for letter in letters
    )


def windows_of(
    cluster: Cluster, stream: str, expected: dict[tuple[int, int], Window]
) -> dict[tuple[int, int], Window]:
    """The newest row of each window of a stream, once they count as many lines as expected."""

    def newest(values: list[bytes]) -> dict[tuple[int, int], Window]:
        rows: dict[tuple[int, int], Window] = {}
        for value in filter(None, values):  # Flink's upsert sink takes a row back before it writes the next
            row = msgspec.json.decode(value, type=Window)
            if row.channel == f"twitch:{stream}":
                key = (row.size_ms, row.start_ms)
                assert key not in rows or row.messages >= rows[key].messages, "a window shrank"
                rows[key] = msgspec.structs.replace(row, max_lag_ms=expected[key].max_lag_ms)
        return rows

    return newest(cluster.read("pulse.windows.v1", lambda values: newest(values) == expected))
