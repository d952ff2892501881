"""The sink against a store and a Kafka that misbehave on purpose."""

from collections.abc import Sequence

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from connectors.clickhouse.routes import DEAD_LETTERS, MESSAGES, SCORED, WINDOWS
from connectors.clickhouse.source import CommitRefusedError, DeadLetterError
from schemas.codecs import decode_message, encode
from tests.fixtures.sink_world import LIMITS, Killed, World, down, lines, until_drained
from tests.fixtures.store import line, scored, window


def test_rows_wait_until_their_batch_is_old_enough() -> None:
    world = World()
    world.append(MESSAGES, *lines(3))
    sink, _ = world.sink()
    for _ in range(3):
        sink.step()
    assert world.events == []
    until_drained(sink, world)
    assert world.events == ["write", "commit"]
    assert [row.value for _, row in world.stored] == lines(3)


def test_a_full_batch_does_not_wait() -> None:
    world = World()
    world.append(MESSAGES, *lines(LIMITS.rows))
    sink, _ = world.sink()
    sink.step()
    assert world.committed == {(MESSAGES, 0): LIMITS.rows}


@pytest.mark.parametrize("moment", ["before the insert", "between insert and commit", "after the commit"])
def test_a_crash_loses_nothing(moment: str) -> None:
    world = World()
    world.append(MESSAGES, *lines(5))
    if moment == "before the insert":
        world.write_faults = [Killed()]
    elif moment == "between insert and commit":
        world.commit_faults = [Killed()]
    sink, _ = world.sink()
    try:
        until_drained(sink, world)
    except Killed:
        assert moment != "after the commit"
    again, _ = world.sink()
    until_drained(again, world)
    ids = [decode_message(row.value).message_id for _, row in world.stored]
    assert set(ids) == {f"m{number}" for number in range(5)}
    assert len(ids) == (10 if moment == "between insert and commit" else 5)  # merged by the tables' keys


def test_a_store_that_is_down_stalls_and_loses_nothing() -> None:
    world = World()
    world.append(MESSAGES, *lines(5))
    world.write_faults = [down(), down(252), DatabaseError("no code at all")]
    sink, source = world.sink()
    until_drained(sink, world)
    assert world.events == ["write", "commit"]
    assert source.pauses == 3
    assert not source.paused
    assert world.letters == []
    assert world.value("pulse_sink_retries_total", table="landing_messages") == 3
    assert world.value("pulse_sink_stalled") == 0


def test_a_stop_while_the_store_is_down_commits_nothing() -> None:
    world = World()
    world.append(MESSAGES, *lines(5))
    sink, source = world.sink()

    class Down(list[BaseException | None]):
        def __bool__(self) -> bool:
            return True

        def pop(self, _index: object = 0) -> BaseException | None:
            world.stopping = len(world.events) == 0 and world.now > 103
            return down()

    world.write_faults = Down()
    sink.run()
    assert source.closed
    assert world.committed == {}


def test_a_stop_stores_and_commits_what_was_read() -> None:
    world = World()
    world.append(MESSAGES, *lines(5))
    sink, source = world.sink()
    sink.step()
    world.stopping = True
    sink.run()
    assert world.events == ["write", "commit"]
    assert source.closed


def test_what_the_engine_refuses_becomes_a_dead_letter_before_the_commit() -> None:
    world = World()
    world.append(SCORED, *(encode(scored(line("acme", f"m{number}"))) for number in range(4)))
    world.refuse = lambda row: row.offset == 2
    sink, _ = world.sink()
    until_drained(sink, world)
    assert world.events == ["write", "letters", "commit"]
    (letter,) = world.letters
    assert (letter.dlq_id, letter.stage, letter.position) == (f"{SCORED}/0/2", "sink", 2)
    assert letter.raw == world.log[SCORED][2].value
    assert letter.workspace == "acme"
    assert len(world.stored) == 3


@pytest.mark.parametrize(
    ("value", "error_class"),
    [
        (b"{", "not_json"),
        (b'{"workspace":"acme"}', "missing_field"),
        (encode(window("acme", 0, [])).replace(b'"messages":0', b'"messages":"many"'), "wrong_type"),
        (encode(window("acme", 0, [])) * 2, "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"", "empty_record"),
    ],
)
def test_a_bad_record_does_not_take_its_batch_along(value: bytes | None, error_class: str) -> None:
    world = World()
    good = encode(window("acme", 1_000, [0.5]))
    world.append(WINDOWS, good, value, good)
    sink, _ = world.sink()
    until_drained(sink, world)
    assert [row.offset for _, row in world.stored] == [0, 2]
    assert [(letter.error_class, letter.raw) for letter in world.letters] == [(error_class, value or b"")]
    assert world.value("pulse_sink_refused_rows_total", topic=WINDOWS, error_class=error_class) == 1


def test_bad_messages_are_left_to_the_scoring_job_to_report() -> None:
    world = World()
    world.append(MESSAGES, b"{", *lines(1))
    sink, _ = world.sink()
    until_drained(sink, world)
    assert world.letters == []
    assert world.value("pulse_sink_refused_rows_total", topic=MESSAGES, error_class="not_json") == 1


def test_no_commit_before_the_dead_letters_are_acknowledged() -> None:
    world = World()
    world.append(WINDOWS, b"{")
    world.letter_faults = [DeadLetterError("no broker"), None]
    sink, _ = world.sink()
    until_drained(sink, world)
    assert world.events == ["letters", "commit"]
    assert len(world.letters) == 1


def test_a_bad_dead_letter_is_stored_and_not_sent_round() -> None:
    world = World()
    world.append(DEAD_LETTERS, b"not a letter")
    sink, _ = world.sink()
    until_drained(sink, world)
    assert world.letters == []
    ((table, row),) = world.stored
    assert table == "landing_dead_letters"
    assert b"chat.dlq.v1/0/0" in (row.value or b"")


def test_a_refused_commit_is_counted_and_the_work_goes_on() -> None:
    world = World()
    world.append(MESSAGES, *lines(2))
    world.commit_faults = [CommitRefusedError("the group moved")]
    sink, _ = world.sink()
    for _ in range(6):
        sink.step()
    assert world.value("pulse_sink_commit_failures_total") == 1
    world.append(MESSAGES, *lines(1))
    until_drained(sink, world)
    assert world.committed == {(MESSAGES, 0): 3}


def test_what_was_read_before_a_rebalance_is_dropped_and_read_again() -> None:
    world = World()
    world.append(MESSAGES, *lines(4))
    sink, source = world.sink()
    sink.step()
    source.rebalance()
    until_drained(sink, world)
    assert len(world.stored) == 4


def test_stored_windows_go_to_the_live_feed_after_the_commit() -> None:
    world = World()
    record = window("acme", 1_000, [0.5])
    world.append(WINDOWS, encode(record))
    world.append(MESSAGES, *lines(1))
    seen: list[tuple[list[object], tuple[str, ...]]] = []

    def on_stored(records: Sequence[object]) -> None:
        seen.append((list(records), tuple(world.events)))

    sink, _ = world.sink(on_stored=on_stored)
    until_drained(sink, world)
    assert seen[0][0] == [record]
    assert seen[0][1][-1] == "commit"
    assert len(seen) == 1


def test_lag_is_shown_per_topic() -> None:
    world = World()
    world.append(MESSAGES, *lines(7))
    sink, _ = world.sink()
    sink.step()
    assert world.value("pulse_sink_lag_records", topic=MESSAGES) == 7


@pytest.mark.parametrize(("write_s", "apart_s"), [(0.0, 1.2), (0.4, 1.5), (5.0, 1.5)])
def test_dear_inserts_are_made_less_often(write_s: float, apart_s: float) -> None:
    """Reads are 0.3 s apart: the first when a second is over, then the first after what the share leaves."""
    world = World()
    world.write_s = write_s
    sink, _ = world.sink()
    reads = []
    for number in range(27):
        world.append(MESSAGES, encode(line("acme", f"m{number}")))
        before = world.events.count("write")
        sink.step()
        if world.events.count("write") > before:
            reads.append(number)
    assert reads[2] - reads[1] == round(apart_s / 0.3) + 1


def test_an_empty_record_of_an_upsert_sink_is_no_dead_letter() -> None:
    world = World()
    world.append(WINDOWS, None, encode(window("acme", 1_000, [0.5])), None)
    world.append(SCORED, None)
    sink, _ = world.sink()
    sink.step()
    sink.flush()
    assert [row.offset for _, row in world.stored] == [1]
    assert [letter.source for letter in world.letters] == [SCORED]
    assert world.committed == {(WINDOWS, 0): 3, (SCORED, 0): 1}


def test_topics_of_one_table_share_an_insert() -> None:
    world = World()
    world.append(MESSAGES, encode(line("acme", "m1")))
    world.append(SCORED, encode(scored(line("acme", "m2"))))
    sink, _ = world.sink()
    until_drained(sink, world)
    assert world.events == ["write", "commit"]
    assert {row.topic for _, row in world.stored} == {MESSAGES, SCORED}
    assert world.value("pulse_sink_rows_total", topic=SCORED) == 1


@pytest.mark.parametrize("scored_first", [False, True])
def test_a_line_that_is_scored_within_a_batch_is_stored_once(scored_first: bool) -> None:
    world = World()
    message = line("acme", "m1")
    topics = {MESSAGES: encode(message), SCORED: encode(scored(message))}
    for topic in sorted(topics, reverse=scored_first):
        world.append(topic, topics[topic])
    world.append(MESSAGES, encode(line("acme", "m2")))
    sink, _ = world.sink()
    until_drained(sink, world)
    assert [(row.topic, row.offset) for _, row in world.stored] == [(MESSAGES, 1), (SCORED, 0)]
    assert world.committed == {(MESSAGES, 0): 2, (SCORED, 0): 1}
    # alerting rules compare the topics' rates
    assert world.value("pulse_sink_rows_total", topic=MESSAGES) == 2
    assert world.value("pulse_sink_rows_total", topic=SCORED) == 1


def test_a_line_whose_scores_the_store_refuses_is_stored_unscored() -> None:
    world = World()
    message = line("acme", "m1")
    world.append(MESSAGES, encode(message))
    world.append(SCORED, encode(scored(message)))
    world.refuse = lambda row: row.topic == SCORED
    sink, _ = world.sink()
    until_drained(sink, world)
    assert [row.topic for _, row in world.stored if row.topic != DEAD_LETTERS] == [MESSAGES]
    assert [letter.source for letter in world.letters] == [SCORED]
    assert world.committed == {(MESSAGES, 0): 1, (SCORED, 0): 1}
