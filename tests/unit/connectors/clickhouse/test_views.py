"""What the views show: each record once, in its best version, until it expires."""

from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from connectors.clickhouse.metrics import RemovalMetrics
from connectors.clickhouse.removals import Removals
from connectors.clickhouse.routes import (
    ACTIVITY,
    ALERTS,
    DEAD_LETTERS,
    EVENTS,
    MESSAGES,
    OPINIONS,
    SCORED,
    WINDOWS,
)
from schemas.codecs import encode
from schemas.labels import EMOTIONS
from schemas.records import ChatEvent, DeadLetter, Emote, Opinion
from tests.fixtures.store import NEVER_MS, NOW_MS, TestStore, activity, alert, event, line, scored, window

MESSAGE_IDS = "SELECT message_id, scored FROM messages WHERE workspace = {w:String} ORDER BY message_id"


def test_a_line_shows_once_whether_scored_or_not(store: TestStore) -> None:
    lines = [line("once", f"m{number}") for number in range(3)]
    store.put(MESSAGES, *lines)
    store.put(SCORED, scored(lines[0]))
    store.put(MESSAGES, lines[0])  # read again after a crash: the scored version stays
    assert store.rows(MESSAGE_IDS, w="once") == [
        {"message_id": "m0", "scored": True},
        {"message_id": "m1", "scored": False},
        {"message_id": "m2", "scored": False},
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_copies_with_other_times_count_once(store: TestStore, order: tuple[int, ...]) -> None:
    workspace = "copies" + "".join(map(str, order))
    first = line(workspace, "m1")
    copies = [
        first,
        scored(first),
        msgspec.structs.replace(first, sent_at=NOW_MS - 90_000, received_at=NOW_MS + 40 * 86_400_000),
    ]
    for number in order:
        store.put(SCORED if number == 1 else MESSAGES, copies[number])
    assert store.rows(MESSAGE_IDS, w=workspace) == [{"message_id": "m1", "scored": True}]
    assert store.one("SELECT sent_at FROM messages WHERE workspace = {w:String}", w=workspace)[-4:] == (
        f".{NOW_MS % 1000:03d}"
    )


def test_equal_ids_on_other_streams_are_other_messages(store: TestStore) -> None:
    store.put(MESSAGES, line("streams", "m1"), line("streams", "m1", stream_id="s2"))
    assert store.one("SELECT count() FROM messages WHERE workspace = 'streams'") == 2


def test_every_field_of_a_scored_line_comes_back(store: TestStore) -> None:
    text = 'говорит "да"\\\n\t☃ 𝔸\u2028 {x} \x01'
    message = line(
        "fields",
        "m1",
        text=text,
        emotes=(Emote("Kappa", "twitch", 0, 5),),
        amount=1.5,
        reply_to="m0",
        lang="ru",
    )
    store.put(SCORED, scored(message, emotions={name: n / 100 for n, name in enumerate(EMOTIONS)}))
    (row,) = store.rows("SELECT * FROM messages WHERE workspace = 'fields'")
    assert row["text"] == text
    assert row["emotes"] == [{"name": "Kappa", "provider": "twitch", "start": 0, "end": 5}]
    assert (row["amount"], row["reply_to"], row["lang"]) == (1.5, "m0", "ru")
    assert row["emotions"] == pytest.approx({name: n / 100 for n, name in enumerate(EMOTIONS)})
    assert row["basic"]["joy"] == pytest.approx(0.6)
    assert row["sentiment"] == pytest.approx(0.5)
    assert (
        store.one("SELECT toUnixTimestamp64Milli(sent_at) FROM messages WHERE workspace = 'fields'")
        == message.sent_at
    )


def test_fields_that_readers_do_not_know_are_ignored(store: TestStore) -> None:
    newer = msgspec.json.decode(encode(line("newer", "m1"))) | {"mood_ring": {"colour": ["blue"]}}
    store.put(MESSAGES, msgspec.json.encode(newer))
    assert store.one("SELECT count() FROM messages WHERE workspace = 'newer'") == 1


def test_heartbeats_are_no_messages_but_move_the_stream(store: TestStore) -> None:
    beat = {"kind": "heartbeat", "text": "", "author": "", "sent_at": NOW_MS + 1_000}
    store.put(
        MESSAGES, line("beats", "m1"), line("beats", "b1", span_from=NOW_MS, span_to=NOW_MS + 9_000, **beat)
    )
    assert store.one("SELECT count() FROM messages WHERE workspace = 'beats'") == 1
    (row,) = store.rows(
        "SELECT toUnixTimestamp64Milli(last_message_at) AS line, "
        "toUnixTimestamp64Milli(last_seen_at) AS seen, ended "
        "FROM streams WHERE workspace = 'beats'"
    )
    assert row == {"line": NOW_MS, "seen": NOW_MS + 9_000, "ended": False}
    store.put(MESSAGES, line("beats", "b2", closing=True, span_to=NOW_MS + 12_000, **beat))
    assert store.one("SELECT ended FROM streams WHERE workspace = 'beats'") is True


def test_expired_lines_are_hidden_before_any_merge_and_gone_after_it(store: TestStore) -> None:
    store.put(MESSAGES, line("expired", "old", expires_at=NOW_MS - 1), line("expired", "new"))
    assert [row["message_id"] for row in store.rows(MESSAGE_IDS, w="expired")] == ["new"]
    stored = "SELECT count() FROM chat_lines WHERE workspace = 'expired'"
    store.client.command("OPTIMIZE TABLE chat_lines FINAL")
    assert store.one(stored) == 1


def test_recorded_lines_never_expire(store: TestStore) -> None:
    far = 9_999_999_999_999
    store.put(
        MESSAGES,
        line("never", "m1", channel="replay:x", expires_at=NEVER_MS, sent_at=NOW_MS - 400 * 86_400_000),
        line("never", "m2", channel="replay:x", expires_at=far),
    )
    store.client.command("OPTIMIZE TABLE chat_lines FINAL")
    assert store.one("SELECT count() FROM messages WHERE workspace = 'never'") == 2


def test_late_lines_are_stored_and_told_apart(store: TestStore) -> None:
    message = line("late", "m1")
    store.put(SCORED, scored(message, counted=False, late_ms=2_400_000), scored(line("late", "m2")))
    assert store.rows("SELECT message_id, late_ms FROM late_rows WHERE workspace = 'late'") == [
        {"message_id": "m1", "late_ms": 2_400_000}
    ]
    store.put(SCORED, scored(message))  # a copy that a window did count
    store.put(SCORED, scored(message, counted=False))
    assert store.one("SELECT count() FROM late_rows WHERE workspace = 'late'") == 0


def test_scores_outlive_the_text_without_ids_authors_or_text(store: TestStore) -> None:
    message = line("scores", "secret-id", author="k1.person", text="secret words", expires_at=NOW_MS - 1)
    store.put(SCORED, scored(message))
    store.put(SCORED, scored(message))
    (row,) = store.rows("SELECT * FROM scores FINAL WHERE workspace = 'scores'")
    assert row["sentiment"] == pytest.approx(0.5)
    assert not any(word in str(row) for word in ("secret", "person"))
    plain = store.one("SELECT toString(reinterpretAsUInt128(sipHash128('secret-id')))")
    assert str(row["score_key"]) != plain


def test_of_equal_windows_the_one_that_counted_most_wins(store: TestStore) -> None:
    start = NOW_MS // 10_000 * 10_000
    query = "SELECT messages, sentiment_sum FROM windows WHERE workspace = 'windows'"
    full, part = window("windows", start, [0.2, 0.4, 0.6]), window("windows", start, [0.2])
    for sent in (part, full, part, full):
        store.put(WINDOWS, sent)
    assert store.rows(query) == [{"messages": 3, "sentiment_sum": 12_000}]
    store.put(WINDOWS, window("windows", start, [0.3, 0.4, 0.6]))  # of equals the newest
    assert store.rows(query) == [{"messages": 3, "sentiment_sum": 13_000}]


def test_windows_show_means_and_coverage(store: TestStore) -> None:
    store.put(
        WINDOWS, window("means", 1_700_000_000_000, [0.2, 0.4], messages=4, abstained=2, channel="replay:x")
    )
    (row,) = store.rows("SELECT * FROM windows WHERE workspace = 'means'")
    assert row["window_start"] == "2023-11-14 22:13:20.000"
    assert row["coverage"] == pytest.approx(0.5)
    assert row["sentiment"] == pytest.approx(0.3)
    assert row["emotions"]["joy"] == pytest.approx(0.3)


def test_windows_without_scores_have_no_mood(store: TestStore) -> None:
    store.put(WINDOWS, window("unscored", NOW_MS, [], messages=2, abstained=2))
    (row,) = store.rows("SELECT sentiment, emotions, coverage FROM windows WHERE workspace = 'unscored'")
    assert row == {"sentiment": None, "emotions": {}, "coverage": 0}


def test_the_newest_revision_of_an_alert_counts(store: TestStore) -> None:
    store.put(
        ALERTS, alert("alerts", "a1", 2, state="closed", ended_at=NOW_MS + 9_000), alert("alerts", "a1", 1)
    )
    (row,) = store.rows("SELECT revision, state, summary FROM alerts WHERE workspace = 'alerts'")
    assert row == {"revision": 2, "state": "closed", "summary": "40 accounts repeat one text"}


def test_evidence_goes_with_the_texts_while_the_alert_stays(store: TestStore) -> None:
    day_ms = 86_400_000
    store.put(ALERTS, alert("evidence", "a1", started_at=NOW_MS - 2 * day_ms), alert("evidence", "a2"))
    rows = store.rows("SELECT alert_id, evidence FROM alerts WHERE workspace = 'evidence' ORDER BY alert_id")
    assert rows == [{"alert_id": "a1", "evidence": []}, {"alert_id": "a2", "evidence": ["m1"]}]


def test_gaps_are_the_events_of_that_kind(store: TestStore) -> None:
    store.put(
        EVENTS, event("events", "e1"), event("events", "e1"), event("events", "e2", kind="raid", viewers=70)
    )
    assert store.one("SELECT count() FROM events WHERE workspace = 'events'") == 2
    (row,) = store.rows(
        "SELECT cause, dateDiff('second', span_from, span_to) AS s FROM gaps WHERE workspace = 'events'"
    )
    assert row == {"cause": "reconnect", "s": 5}


def state(workspace: str, number: int, name: str, **changes: object) -> ChatEvent:
    fields = {"kind": "source_state", "state": name, "span_from": None, "span_to": None, "cause": None}
    return event(workspace, f"s{number}", **({"at": NOW_MS + number} | fields | changes))


def test_a_source_stands_as_it_last_said_and_tells_what_it_missed(store: TestStore) -> None:
    w = "sources"
    store.put(
        EVENTS, state(w, 3, "degraded", cause="no PONG"), state(w, 1, "connecting"), state(w, 2, "live")
    )
    store.put(EVENTS, state(w, 2, "live"), state(w, 1, "live", channel="twitch:other"))  # read again
    long_ago = {"at": NOW_MS - 90_000_000, "span_from": NOW_MS - 90_001_000, "span_to": NOW_MS - 90_000_000}
    store.put(
        EVENTS,
        event(w, "g1", recovered=7),
        event(w, "g1", recovered=7),
        event(w, "g2"),
        event(w, "g3", **long_ago),
    )
    rows = store.rows(
        "SELECT channel, state, reason, gaps_24h, missed_s_24h, recovered_24h, last_gap_at IS NULL AS none "
        "FROM sources WHERE workspace = 'sources' ORDER BY channel"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("twitch:other", "live", "", 0, 0, 0, True),
        ("twitch:someone", "degraded", "no PONG", 2, 10, 7, False),
    ]


def test_states_and_gaps_outlive_the_texts(store: TestStore) -> None:
    old = {"at": NOW_MS - 200_000_000, "expires_at": NOW_MS - 100_000_000}
    store.put(EVENTS, state("outlived", 1, "live", **old), event("outlived", "g1", **old))
    store.client.command("OPTIMIZE TABLE channel_events FINAL")
    assert store.one("SELECT count() FROM events WHERE workspace = 'outlived'") == 0
    assert store.one("SELECT count() FROM gaps WHERE workspace = 'outlived'") == 1
    assert store.one("SELECT state FROM sources WHERE workspace = 'outlived'") == "live"


def test_activity_counts_a_second_once(store: TestStore) -> None:
    store.put(ACTIVITY, activity("activity", NOW_MS, 3), activity("activity", NOW_MS, 5))
    store.put(ACTIVITY, activity("activity", NOW_MS, 3))
    assert store.one("SELECT sum(messages) FROM activity WHERE workspace = 'activity'") == 5


def test_dead_letters_keep_the_original_bytes(store: TestStore) -> None:
    letter = DeadLetter(
        dlq_id="chat.messages.v1/0/7",
        workspace="letters",
        stage="score",
        source="chat.messages.v1",
        partition=0,
        position=7,
        error_class="not_json",
        error="malformed",
        raw=b'{"half\xff\x00',
        seen_at=NOW_MS,
    )
    store.put(DEAD_LETTERS, letter, letter)
    (row,) = store.rows("SELECT hex(raw) AS raw, error_class FROM dead_letters WHERE workspace = 'letters'")
    assert row == {"raw": letter.raw.hex().upper(), "error_class": "not_json"}


def test_a_row_that_the_engine_cannot_take_is_found_and_the_rest_stored(store: TestStore) -> None:
    lines: list[msgspec.Struct | bytes] = [line("bad", f"m{number}") for number in range(50)]
    lines[17] = encode(line("bad", "m17")).replace(str(NOW_MS).encode(), b'"soon"')
    lines[44] = b'{"workspace": "bad", "message_id": '
    refusals = store.put(MESSAGES, *lines)
    assert [refusal.row.offset for refusal in refusals] == [17, 44]
    assert "soon" not in refusals[0].error
    assert store.one("SELECT count() FROM messages WHERE workspace = 'bad'") == 48


def opinion(workspace: str, message_id: str, **changes: Any) -> Opinion:
    fields: dict[str, Any] = {
        "workspace": workspace,
        "channel": "twitch:someone",
        "stream_id": "s1",
        "message_id": message_id,
        "sent_at": NOW_MS,
        "expires_at": NOW_MS + 86_400_000,
        "given_at": NOW_MS + 2_000,
        "reason": "sarcasm",
        "lang": None,
        "model": "test",
        "model_version": "1",
        "sentiment": 0.5,
        "toxicity": 0.1,
        "sarcasm": 0.45,
        "opinion_model": "tiny",
        "prompt_version": "1",
        "opinion_sentiment": -0.75,
        "opinion_toxicity": 0.25,
        "opinion_sarcasm": 1,
        "cached": False,
    }
    return Opinion(**(fields | changes))


def test_both_opinions_on_a_line_stand_beside_its_text(store: TestStore) -> None:
    w = "opinions"
    store.put(SCORED, scored(line(w, "m1")), scored(line(w, "m2", stream_id="s2")))
    store.put(MESSAGES, line(w, "m1"))
    store.put(OPINIONS, opinion(w, "m1", opinion_sarcasm=0.5), opinion(w, "of no line"))
    store.put(OPINIONS, opinion(w, "m1", given_at=NOW_MS + 3_000), opinion(w, "m1", opinion_model="other"))
    rows = store.rows("SELECT * FROM opinions WHERE workspace = {w:String} ORDER BY opinion_model", w=w)
    assert [(row["opinion_model"], row["opinion_sarcasm"]) for row in rows] == [("other", 1), ("tiny", 1)]
    assert (rows[1]["text"], rows[1]["sarcasm"], rows[1]["opinion_sentiment"], rows[1]["lang"]) == (
        "so good",
        pytest.approx(0.45),
        -0.75,
        None,
    )
    assert store.one("SELECT count() FROM messages WHERE workspace = {w:String}", w=w) == 2


def test_an_opinion_goes_with_its_line(store: TestStore) -> None:
    w = "opinions gone"
    store.put(MESSAGES, line(w, "m1"))
    store.put(SCORED, scored(line(w, "m1")), scored(line(w, "m2", expires_at=NOW_MS - 1)))
    store.put(OPINIONS, opinion(w, "m1"), opinion(w, "m2"))
    shown = "SELECT count() FROM opinions WHERE workspace = {w:String}"
    assert store.one(shown, w=w) == 1
    store.put(EVENTS, event(w, "d1", kind="deletion", target_message_id="m1"))
    assert store.one(shown, w=w) == 0
    Removals(store.client, RemovalMetrics(CollectorRegistry())).take_out()
    left = "SELECT count() FROM opinion_lines WHERE workspace = {w:String} AND message_id = 'm1'"
    assert store.one(left, w=w) == 0
