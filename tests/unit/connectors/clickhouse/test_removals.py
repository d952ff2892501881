"""Lines that their platform took back: hidden by the insert of the event, gone after the next pass."""

import threading

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from prometheus_client import CollectorRegistry

from connectors.clickhouse.metrics import RemovalMetrics
from connectors.clickhouse.removals import EVERY_S, WHOLE_EVERY_S, Removals
from connectors.clickhouse.routes import ERASURES, EVENTS, MESSAGES, SCORED
from schemas.records import Erasure
from tests.fixtures.store import NOW_MS, TestStore, event, line, scored

SHOWN = "SELECT message_id FROM messages WHERE workspace = {w:String} ORDER BY message_id"
STORED = "SELECT DISTINCT message_id FROM chat_lines WHERE workspace = {w:String} ORDER BY message_id"


class Wall:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOW_MS / 1000

    def __call__(self) -> float:
        return self.now


def ids(store: TestStore, sql: str, workspace: str) -> list[str]:
    return [row["message_id"] for row in store.rows(sql, w=workspace)]


@pytest.fixture
def passes(store: TestStore) -> Removals:
    return Removals(store.client, RemovalMetrics(CollectorRegistry()))


def test_a_deleted_line_is_hidden_at_once_and_gone_after_a_pass(store: TestStore, passes: Removals) -> None:
    w = "deleted"
    first = line(w, "m1")
    store.put(MESSAGES, first, line(w, "m2"), line(w, "m1", channel="twitch:other", stream_id="s2"))
    store.put(EVENTS, event(w, "d1", kind="deletion", target_message_id="m1", target_author="k1.abc"))
    store.put(SCORED, scored(first))  # the scored copy comes after the deletion
    assert ids(store, SHOWN, w) == ["m1", "m2"]  # the other channel's line of that id stays
    assert ids(store, STORED, w) == ["m1", "m2"]
    assert passes.take_out() == 2  # the line's two copies
    channels = store.rows(
        "SELECT DISTINCT channel FROM chat_lines WHERE message_id = 'm1' AND workspace = 'deleted'"
    )
    assert channels == [{"channel": "twitch:other"}]
    assert ids(store, SHOWN, w) == ["m1", "m2"]


def test_a_ban_takes_the_author_s_lines_up_to_it_and_no_later_ones(
    store: TestStore, passes: Removals
) -> None:
    w = "banned"
    store.put(
        MESSAGES,
        line(w, "before", author="k1.bad", sent_at=NOW_MS - 1),
        line(w, "after", author="k1.bad", sent_at=NOW_MS + 1),
        line(w, "other person", author="k1.good"),
        line(w, "other channel", author="k1.bad", channel="twitch:other", stream_id="s2"),
        line(w, "earlier stream", author="k1.bad", stream_id="s0", sent_at=NOW_MS - 3_600_000),
    )
    store.put(MESSAGES, line("banned elsewhere", "before", author="k1.bad"))
    store.put(EVENTS, event(w, "b1", kind="ban", at=NOW_MS, target_author="k1.bad"))
    store.put(MESSAGES, line(w, "on its way", author="k1.bad", sent_at=NOW_MS - 2))
    passes.take_out()
    assert ids(store, SHOWN, w) == ["after", "other channel", "other person"]
    assert ids(store, STORED, w) == ["after", "other channel", "other person"]
    assert ids(store, SHOWN, "banned elsewhere") == ["before"]


def test_a_cleared_chat_takes_all_lines_up_to_it(store: TestStore, passes: Removals) -> None:
    w = "cleared"
    store.put(MESSAGES, line(w, "before", author="k1.a"), line(w, "after", sent_at=NOW_MS + 1))
    store.put(EVENTS, event(w, "c1", kind="deletion", at=NOW_MS))
    passes.take_out()
    assert ids(store, SHOWN, w) == ids(store, STORED, w) == ["after"]


def erasure(workspace: str, author: str, **changes: bool | int) -> Erasure:
    fields = {"requested_at": NOW_MS, "erase_before": NOW_MS} | changes
    return Erasure(workspace=workspace, author=author, **fields)  # type: ignore[arg-type]


def test_an_erased_person_s_lines_go_on_every_channel_up_to_the_request(
    store: TestStore, passes: Removals
) -> None:
    w = "erased"
    store.put(
        MESSAGES,
        line(w, "before", author="k1.gone"),
        line(w, "other channel", author="k1.gone", channel="twitch:other", stream_id="s2"),
        line(w, "after", author="k1.gone", sent_at=NOW_MS + 1),
        line(w, "other person"),
        line("erased elsewhere", "before", author="k1.gone"),
    )
    banned = {"kind": "ban", "channel": "twitch:third", "at": NOW_MS - 9_000}
    store.put(
        EVENTS,
        event(w, "b1", target_author="k1.gone", **banned),
        event(w, "b2", target_author="k1.b", **banned),
    )
    store.put(ERASURES, erasure(w, "k1.gone"))
    passes.take_out()
    store.put(MESSAGES, line(w, "read again", author="k1.gone"))
    passes.take_out()
    assert ids(store, SHOWN, w) == ids(store, STORED, w) == ["after", "other person"]
    assert ids(store, SHOWN, "erased elsewhere") == ["before"]
    assert [
        row["event_id"] for row in store.rows("SELECT event_id FROM events WHERE workspace = 'erased'")
    ] == ["b2"]


def test_of_who_opted_out_no_line_is_shown_until_it_is_taken_back(store: TestStore, passes: Removals) -> None:
    w = "opted out"
    store.put(ERASURES, erasure(w, "k1.out", opted_out=True))
    passes.take_out()
    store.put(MESSAGES, line(w, "on its way", author="k1.out", sent_at=NOW_MS + 5_000))
    passes.take_out()
    assert ids(store, SHOWN, w) == ids(store, STORED, w) == []
    store.put(ERASURES, erasure(w, "k1.out", requested_at=NOW_MS + 6_000))
    store.put(MESSAGES, line(w, "back", author="k1.out", sent_at=NOW_MS + 7_000))
    assert ids(store, SHOWN, w) == ["back"]


def test_events_of_other_kinds_remove_nothing(store: TestStore, passes: Removals) -> None:
    w = "kept"
    store.put(MESSAGES, line(w, "m1"))
    store.put(
        EVENTS, event(w, "g1"), event(w, "r1", kind="room_state"), event(w, "u1", kind="sub", source="k1.abc")
    )
    passes.take_out()
    assert ids(store, SHOWN, w) == ["m1"]


def test_a_copy_that_comes_long_after_is_hidden_and_found_by_the_hourly_pass(store: TestStore) -> None:
    w, wall = "late", Wall()
    registry = CollectorRegistry()
    passes = Removals(store.client, RemovalMetrics(registry), clock=wall)
    first = line(w, "m1")
    store.put(MESSAGES, first)
    store.put(EVENTS, event(w, "d1", kind="deletion", target_message_id="m1"))
    passes.take_out()
    wall.now += 600  # the scored copy was held up for ten minutes
    passes.take_out()
    store.put(SCORED, scored(first))
    assert ids(store, SHOWN, w) == []
    wall.now += WHOLE_EVERY_S
    passes.take_out()
    assert ids(store, STORED, w) == []
    assert registry.get_sample_value("pulse_removal_last_pass_timestamp_seconds") == wall.now


def test_a_pass_without_orders_deletes_nothing(store: TestStore, passes: Removals) -> None:
    store.put(MESSAGES, line("calm", "m1"))
    passes.take_out()
    assert passes.take_out() == 0
    assert ids(store, SHOWN, "calm") == ["m1"]


def test_a_store_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    registry, stopping = CollectorRegistry(), threading.Event()
    passes = Removals(None, RemovalMetrics(registry))  # type: ignore[arg-type]
    asked: list[int] = []

    def fail() -> int:
        asked.append(1)
        if len(asked) == 2:
            stopping.set()
        raise DatabaseError("the store is away\nwith details")

    monkeypatch.setattr(passes, "take_out", fail)
    monkeypatch.setattr(stopping, "wait", lambda seconds: seconds == EVERY_S)
    passes.run(stopping)
    assert registry.get_sample_value("pulse_removal_failures_total") == 2
