import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.detection.engine import Engine, Output, SnapshotVersionError
from schemas.records import ChatMessage, Window
from tests.unit.pipelines.core.detection.chat_records import (
    CHANNEL,
    START_MS,
    STREAM,
    beat,
    in_order,
    newest,
    run,
    say,
    small_talk,
    window,
)

WORDS = (
    "gg",
    "nice one",
    "you are a clown, quit already",
    "buy at spam.example/x",
    "hello from the raid",
    "!join",
)


@st.composite
def broadcasts(draw: st.DrawFn) -> list[ChatMessage | Window]:
    """A broadcast with bursts, silences, windows, notices and an end; deterministic by the drawn seed."""
    rng = random.Random(draw(st.integers(0, 10**6)))
    at = 0.0
    records: list[ChatMessage | Window] = []
    for _ in range(draw(st.integers(5, 40))):
        pause = rng.choice([0, 0.2, 0.9, 2.5, 20, 90])
        if pause > 1:
            records.append(beat(at, at + pause - 0.5))
        at += pause
        for _ in range(rng.choice([1, 1, 3, 12])):
            at += rng.choice([0, 0.05, 0.3])
            author = rng.choice(["flooder", f"regular{rng.randrange(8)}", f"new{rng.random()}"])
            records.append(say(at, author, rng.choice(WORDS)))
        if rng.random() < 0.5:
            records.append(window(int(at), 10, sentiment=rng.uniform(-1, 1), toxicity=rng.random()))
    records.append(beat(at, at, closing=True))
    return records


def joined(outputs: list[Output]) -> Output:
    whole = Output()
    for output in outputs:
        whole.extend(output)
    return whole


@settings(max_examples=40, deadline=None)
@given(broadcasts(), st.lists(st.integers(0, 400), max_size=8))
def test_batches_and_restores_anywhere_change_nothing(
    records: list[ChatMessage | Window], cuts: list[int]
) -> None:
    edges = [0, *sorted(min(cut, len(records)) for cut in cuts), len(records)]
    engine = Engine()
    outputs = []
    for start, end in pairwise(edges):
        outputs.append(engine.process(records[start:end]))
        engine = Engine.restore(engine.snapshot())
    assert joined(outputs) == run(records)


@settings(max_examples=25, deadline=None)
@given(broadcasts(), broadcasts(), st.randoms(use_true_random=False))
def test_streams_of_other_channels_do_not_disturb_one_another(
    one: list[ChatMessage | Window], other: list[ChatMessage | Window], rng: random.Random
) -> None:
    import msgspec

    moved = [
        msgspec.structs.replace(record, channel="twitch:other", stream_id="elsewhere") for record in other
    ]
    mixed: list[ChatMessage | Window] = []
    left, right = list(one), list(moved)
    while left or right:
        mixed.append((left if left and (not right or rng.random() < 0.5) else right).pop(0))
    output = run(mixed)
    alone = run(one)
    assert [alert for alert in output.alerts if alert.channel == CHANNEL] == alone.alerts
    assert [row for row in output.activity if row.channel == CHANNEL] == alone.activity


@settings(max_examples=25, deadline=None)
@given(broadcasts())
def test_a_silence_in_one_span_equals_a_silence_by_the_second(records: list[ChatMessage | Window]) -> None:
    ticked: list[ChatMessage | Window] = []
    for record in records:
        if isinstance(record, ChatMessage) and record.kind == "heartbeat" and not record.closing:
            assert record.span_from is not None and record.span_to is not None
            start, end = (record.span_from - START_MS) / 1000, (record.span_to - START_MS) / 1000
            at = start
            while at < end:
                ticked.append(beat(at, min(at + 1, end)))
                at += 1
        else:
            ticked.append(record)
    assert run(ticked) == run(records)


@settings(max_examples=30, deadline=None)
@given(broadcasts())
def test_every_line_is_counted_once_or_late(records: list[ChatMessage | Window]) -> None:
    output = run(records)
    lines = sum(isinstance(record, ChatMessage) and record.kind == "message" for record in records)
    assert sum(row.messages for row in output.activity) + output.late == lines
    assert max(Counter(row.second_ms for row in output.activity).values()) == 1


def test_each_second_with_lines_gives_one_row_and_a_silence_one_zero_row() -> None:
    output = run(
        [
            say(0, "a", "x"),
            say(0.5, "b", "y"),
            say(1.2, "a", "z"),
            beat(1.2, 60),
            say(61, "a", "x"),
            beat(61, 70),
        ]
    )
    rows = [((row.second_ms - START_MS) // 1000, row.messages) for row in output.activity]
    assert rows == [(0, 2), (1, 1), (2, 0), (61, 1), (62, 0)]


def test_lines_of_an_evaluated_second_are_late_and_not_evaluated() -> None:
    output = run([say(0, "a", "x"), say(1, "a", "y"), say(3, "a", "z"), say(0.5, "b", "late"), beat(3, 10)])
    assert output.late == 1
    assert sum(row.messages for row in output.activity) == 3


def test_reordering_within_the_grace_is_no_lateness() -> None:
    output = run([say(0, "a", "x"), say(1.3, "a", "y"), say(0.9, "b", "swapped"), beat(1.3, 10)])
    assert output.late == 0


@pytest.mark.parametrize("place", [0, 1, 7, 30])
def test_one_record_far_in_the_future_does_not_blind_a_stream(place: int) -> None:
    lines = small_talk(0, 60, every_s=1)
    bad = say(290, "skewed", "my clock is wrong")
    output = run([*lines[:place], bad, *lines[place:], beat(60, 61, closing=True)])
    assert output.late == 0
    assert sum(row.messages for row in output.activity) == 61
    seconds = {(row.second_ms - START_MS) // 1000 for row in output.activity if row.messages}
    assert set(range(60)) <= seconds


def test_a_real_gap_without_heartbeats_is_passed_after_three_records() -> None:
    output = run(
        [
            *small_talk(0, 10, 1),
            say(200, "a", "back"),
            say(260, "b", "again"),
            say(320, "c", "on"),
            beat(320, 330),
        ]
    )
    assert output.late == 0
    assert sum(row.messages for row in output.activity) == 13


def test_a_repeated_message_id_counts_once() -> None:
    lines = [say(0, "a", "x", message_id="one"), say(0.1, "a", "x", message_id="one"), beat(0, 5)]
    assert sum(row.messages for row in run(lines).activity) == 1


def test_a_repeated_message_id_counts_once_across_a_restore() -> None:
    engine = Engine()
    engine.process([say(0, "a", "x", message_id="one"), beat(0, 0.5)])
    engine = Engine.restore(engine.snapshot())
    output = engine.process([say(0, "a", "x", message_id="one"), beat(0.5, 5)])
    assert sum(row.messages for row in output.activity) == 1


def test_a_closing_heartbeat_closes_open_episodes() -> None:
    lines = in_order(small_talk(0, 60), [say(60 + i * 0.4, "flooder", "buy my tape now") for i in range(40)])
    output = run([*lines, beat(76, 76, closing=True)])
    assert newest(output, "flood.account")[0].state == "closed"
    assert newest(output, "flood.account")[0].ended_at is not None


def test_revisions_grow_by_one_and_the_id_stays() -> None:
    lines = in_order(small_talk(0, 60), [say(60 + i * 0.4, "flooder", "buy my tape now") for i in range(90)])
    revisions = [a for a in run([*lines, beat(96, 200)]).alerts if a.kind == "flood.account"]
    assert [alert.revision for alert in revisions] == list(range(1, len(revisions) + 1))
    assert len({alert.alert_id for alert in revisions}) == 1
    assert [revisions[0].state, revisions[-1].state] == ["open", "closed"]


def test_an_alert_is_raised_after_its_second_with_the_systems_delays() -> None:
    from pipelines.core.detection.episodes import DETECTION_DELAY_MS

    lines = in_order(small_talk(0, 60), [say(60 + i * 0.4, "flooder", "buy my tape now") for i in range(90)])
    first = next(a for a in run([*lines, beat(96, 200)]).alerts if a.kind == "flood.account")
    assert first.detected_at > first.started_at
    assert (first.detected_at - DETECTION_DELAY_MS) % 1000 == 0


def test_state_of_a_busy_channel_stays_bounded() -> None:
    engine = Engine()
    rng = random.Random(1)
    for at in range(120):
        text = [f"{rng.random()} words {rng.random()} and {rng.random()} more" for _ in range(300)]
        engine.process([say(at + i / 400, f"a{rng.random()}", line) for i, line in enumerate(text)])
    assert len(engine.snapshot()) < 600_000


def test_two_runs_of_a_replay_do_not_share_a_channel() -> None:
    engine = Engine()
    engine.process(
        [
            say(0, "a", "x", channel="replay:c", stream="r1/c/1"),
            say(0, "a", "x", channel="replay:c", stream="r2/c/1"),
        ]
    )
    assert len(engine) == 2


def test_a_foreign_snapshot_is_refused() -> None:
    with pytest.raises(SnapshotVersionError):
        Engine.restore(b"not a snapshot")


def test_lines_after_the_end_are_late() -> None:
    output = run([say(0, "a", "x"), say(1, "a", "y"), beat(1, 1, closing=True), say(0.5, "b", "straggler")])
    assert output.late == 1


def test_the_stream_id_is_that_of_the_broadcast() -> None:
    assert {row.stream_id for row in run([say(0, "a", "x"), beat(0, 9)]).activity} == {STREAM}
