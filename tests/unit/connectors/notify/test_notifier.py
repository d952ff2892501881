import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.notify.message import PermanentError, TemporaryError
from connectors.notify.notifier import MAX_ALERTS
from connectors.notify.outbox import KEEP_DEAD_MS, KEEP_MS
from tests.unit.connectors.notify.notices import START_MS, Desk, alert, config, rows

NIGHT = {"timezone": "UTC", "from": "23:00", "to": "08:00"}
MORNING_MS = START_MS + 8 * 3_600_000


async def test_alerts_of_a_channel_that_come_together_share_a_message(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config())
    other = alert(alert_id="a3", channel="twitch:other", channels=("twitch:other/1",))
    desk.take(alert(), alert(alert_id="a2", kind="flood.account"), other)
    await desk.drain()
    assert sorted(len(message.due) for message in desk.sender.accepted) == [1, 2]
    assert desk.count("sent_alerts_total", target="hook") == 3
    assert desk.count("messages_total", target="hook") == 2
    assert desk.count("waiting_alerts", target="hook") == 0


async def test_one_message_holds_a_bounded_number_of_alerts(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config())
    desk.take(*(alert(alert_id=f"a{n}") for n in range(MAX_ALERTS + 5)))
    await desk.drain()
    assert [len(message.due) for message in desk.sender.accepted] == [MAX_ALERTS, 5]
    assert len({due.alert.alert_id for m in desk.sender.accepted for due in m.due}) == MAX_ALERTS + 5


async def test_a_repeated_record_is_told_once_also_after_a_restart(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config())
    desk.take(alert(), alert())
    await desk.drain()
    desk.take(alert())
    desk.reopen()
    desk.take(alert())
    await desk.drain()
    assert desk.sender.told == [("a1", 1, "open")]
    assert desk.count("revisions_total", outcome="repeated") == 1


async def test_what_was_owed_at_a_crash_is_sent_after_the_restart(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config())
    desk.take(alert())
    assert desk.outbox.claim("hook", "default|twitch:somechannel", START_MS + 1, 9)  # crash while sending
    desk.reopen()
    await desk.drain()
    assert desk.sender.told == [("a1", 1, "open")]


async def test_the_story_of_an_episode(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config())
    for revision in (
        alert(),
        alert(revision=2, state="update"),
        alert(revision=3, state="update", severity="critical"),
        alert(revision=4, severity="critical", state="closed", ended_at=START_MS + 60_000),
    ):
        desk.take(revision)
        await desk.drain()
    assert desk.sender.told == [("a1", 1, "open"), ("a1", 3, "worse"), ("a1", 4, "closed")]


async def test_an_older_revision_after_a_newer_one_is_not_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config())
    desk.take(alert(revision=3, severity="critical"))
    await desk.drain()
    desk.take(alert(revision=2))
    await desk.drain()
    assert desk.sender.told == [("a1", 3, "open")]


async def test_the_newest_revision_takes_the_place_of_one_not_sent_yet(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config())
    desk.take(
        alert(), alert(revision=2, state="update"), alert(revision=3, state="closed", ended_at=START_MS)
    )
    await desk.drain()
    assert desk.sender.told == [("a1", 3, "open")]


async def test_quiet_hours_hold_until_they_end(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config({"quiet": NIGHT}))
    desk.take(alert(), alert(revision=2, state="closed", ended_at=START_MS + 9))
    await desk.drain()
    sent_at, message = desk.sender.attempts[0]
    assert MORNING_MS <= sent_at < MORNING_MS + 1_000
    assert [due.alert.revision for due in message.due] == [2]
    assert desk.count("delay_seconds_count", target="hook") == 0


async def test_what_gets_grave_at_night_is_told_at_night(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config({"quiet": NIGHT}))
    desk.take(alert(), alert(revision=2, severity="critical"))
    await desk.drain()
    assert desk.sender.attempts[0][0] < START_MS + 1_000
    assert desk.sender.told == [("a1", 2, "open")]


async def test_what_quiet_hours_drop_stays_untold_unless_it_gets_grave(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config({"quiet": NIGHT | {"then": "drop"}}))
    desk.take(alert(), alert(revision=2, state="closed", ended_at=START_MS), alert(alert_id="a2"))
    desk.take(alert(alert_id="a2", revision=2, severity="critical"))
    await desk.drain()
    assert desk.sender.told == [("a2", 2, "worse")]
    assert desk.count("revisions_total", outcome="quiet") == 2


async def test_failures_are_retried_with_growing_capped_pauses_and_the_same_content(tmp_path: Path) -> None:
    failures = [TemporaryError("http_500", "it answered 500") for _ in range(30)]
    desk = Desk(tmp_path, config(), *failures)
    desk.take(alert())
    await desk.drain()
    times = [at for at, _ in desk.sender.attempts]
    pauses = [after - before for before, after in pairwise(times)]
    assert len(pauses) == 30
    assert max(pauses) <= 60_000
    assert max(pauses[10:]) > 10_000 > max(pauses[:2])
    assert len({message.delivery for _, message in desk.sender.attempts}) == 1
    assert desk.count("failed_attempts_total", target="hook", reason="http_500") == 30


async def test_a_pause_that_the_target_asks_for_is_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config(), TemporaryError("rate_limited", "429", retry_after_s=700))
    desk.take(alert())
    await desk.drain()
    (first, _), (second, _) = desk.sender.attempts
    assert second - first >= 700_000


async def test_a_permanent_failure_is_a_dead_letter_with_reason_and_bytes(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config(), PermanentError("it answered 410"))
    desk.take(alert())
    await desk.drain()
    (letter,) = desk.outbox.dead()
    assert letter.target == "hook"
    assert letter.reason == "it answered 410"
    assert b'"alert_id":"a1"' in letter.record
    assert desk.count("dead_alerts_total", target="hook") == 1

    assert desk.outbox.retry([letter.id], desk.clock.now_ms()) == 1
    await desk.drain()
    assert desk.sender.told == [("a1", 1, "open")]
    assert desk.outbox.dead() == []


async def test_what_fails_for_too_long_is_given_up(tmp_path: Path) -> None:
    target = {"name": "hook", "kind": "webhook", "url": "http://127.0.0.1:9", "give_up_s": 300}
    desk = Desk(tmp_path, config(targets=[target]), *(TemporaryError("timeout", "slow") for _ in range(999)))
    desk.take(alert())
    await desk.drain()
    assert desk.sender.attempts[-1][0] - START_MS <= 301_000
    assert [letter.reason for letter in desk.outbox.dead()] == ["slow"]


async def test_one_group_that_fails_holds_up_no_other(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config(), TemporaryError("http_500", "500", retry_after_s=600))
    desk.take(alert())
    desk.take(alert(alert_id="a2", channel="twitch:other", channels=("twitch:other/1",)))
    await desk.drain()
    assert [told[0] for told in desk.sender.told] == ["a2", "a1"]


async def test_a_mistake_of_ours_ends_the_notifier_and_keeps_what_is_owed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config(), RuntimeError("a bug"))
    desk.take(alert())
    with pytest.raises(ExceptionGroup):
        await desk.drain()
    desk.reopen()
    await desk.drain()
    assert desk.sender.told == [("a1", 1, "open")]


def test_old_alerts_are_stale_and_unreadable_records_are_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config())
    desk.take(alert(), appended_at=START_MS - 3_601_000)
    broken = rows(alert())[0]._replace(value=b'{"alert_id": \xff', offset=7)
    desk.notifier.take([broken, broken, broken._replace(value=None, offset=8)])
    assert desk.outbox.waiting() == {}
    assert desk.count("revisions_total", outcome="stale") == 1
    assert [(letter.id, letter.record) for letter in desk.outbox.dead()] == [
        ("pulse.alerts.v1/0/7", b'{"alert_id": \xff'),
        ("pulse.alerts.v1/0/8", b""),
    ]


async def test_no_message_ids_are_kept_or_sent(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config())
    desk.take(alert())
    held = sqlite3.connect(desk.path).execute("SELECT record FROM deliveries").fetchall()
    assert held
    assert b"secret-message-id" not in held[0][0]
    await desk.drain()
    assert desk.sender.accepted[0].due[0].alert.evidence == ()
    assert sqlite3.connect(desk.path).execute("SELECT record FROM deliveries").fetchall() == [(None,)]


async def test_memory_of_the_past_ends_after_the_topic_s(tmp_path: Path) -> None:
    desk = Desk(tmp_path, config(), None, PermanentError("no"))
    desk.take(alert())
    await desk.drain()
    desk.take(alert(alert_id="a2"))
    await desk.drain()
    desk.outbox.prune(desk.clock.now_ms() + KEEP_MS - 60_000)
    assert desk.outbox.told("hook", alert()) is not None
    desk.outbox.prune(desk.clock.now_ms() + KEEP_MS + 60_000)
    assert desk.outbox.told("hook", alert()) is None
    assert len(desk.outbox.dead()) == 1
    desk.outbox.prune(desk.clock.now_ms() + KEEP_DEAD_MS + 60_000)
    assert desk.outbox.dead() == []


@settings(deadline=None, max_examples=25)
@given(st.permutations([1, 2, 3, 4]), st.lists(st.integers(0, 3), max_size=4))
async def test_any_order_and_repetition_ends_with_the_newest_and_repeats_nothing(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], again: list[int]
) -> None:
    desk = Desk(tmp_path_factory.mktemp("order"), config())
    states = {1: "open", 2: "update", 3: "update", 4: "closed"}
    for revision in [*order, *(order[at] for at in again)]:
        desk.take(
            alert(revision=revision, state=states[revision], severity="critical" if revision > 2 else "high")
        )
        await desk.drain()
    revisions = [revision for _, revision, _ in desk.sender.told]
    assert revisions == sorted(set(revisions))
    assert revisions[0] == order[0]
    assert 4 in revisions or 4 not in order
    desk.outbox.close()
