"""What a closed alert says of the audience's recovery."""

import msgspec
import pytest

from pipelines.core.detection.engine import Engine, Output
from pipelines.core.detection.recovery import outcome
from pipelines.core.detection.state import Episode
from schemas.records import Alert, ChatMessage, Window
from tests.unit.pipelines.core.detection.chat_records import beat, newest, run, say, window

TURN_S = 300


def chat(toxic_s: int, *, scored: bool = True, end: int = 480) -> list[ChatMessage | Window]:
    """Two lines a second; the windows are toxic for `toxic_s` seconds from TURN_S on."""
    records: list[ChatMessage | Window] = []
    for at in range(end):
        records += [
            say(at + 0.1, f"a{at % 9}", f"line {at} one"),
            say(at + 0.6, f"b{at % 7}", f"line {at} two"),
        ]
        if scored and at:
            toxicity = 0.9 if TURN_S <= at - 1 < TURN_S + toxic_s else 0.05
            records.append(window(at - 1, 2, sentiment=0.1, toxicity=toxicity))
    return [*records, beat(end, end, closing=True)]


def flood(records: list[ChatMessage | Window], at_s: int) -> list[ChatMessage | Window]:
    """The records with one account that floods for ten seconds."""
    lines = [say(at_s + number * 0.4 + 0.03, "flooder", f"me me me {number % 3}") for number in range(25)]
    stamps = [getattr(record, "sent_at", None) for record in records]
    merged: list[ChatMessage | Window] = []
    for record, stamp in zip(records, stamps, strict=True):
        while lines and stamp is not None and lines[0].sent_at <= stamp:
            merged.append(lines.pop(0))
        merged.append(record)
    return merged


def toxic(output: Output) -> Alert:
    (alert,) = newest(output, "mood.toxic")
    assert alert.state == "closed"
    return alert


def test_a_mood_that_turns_back_has_recovered_some_time_after_the_warning() -> None:
    short, long = toxic(run(chat(40))), toxic(run(chat(70)))
    assert short.recovered is long.recovered is True
    assert short.recovery_s is not None
    assert long.recovery_s is not None
    assert long.recovery_s - short.recovery_s == pytest.approx(30, abs=3)
    back_s = (short.detected_at - short.started_at) / 1000 + short.recovery_s
    assert 35 <= back_s <= 80  # 40 s of turn, and a mean over 20 s at either end of it


def test_a_mood_that_stays_bad_to_the_end_has_not_recovered() -> None:
    alert = toxic(run(chat(1_000, end=360)))
    assert (alert.recovered, alert.recovery_s) == (False, None)


def test_an_alert_that_left_the_mood_alone_says_so() -> None:
    (alert,) = newest(run(flood(chat(0), 200)), "flood.account")
    assert (alert.recovered, alert.recovery_s) == (True, 0)


def test_without_scores_nothing_is_said() -> None:
    (alert,) = newest(run(flood(chat(0, scored=False), 200)), "flood.account")
    assert (alert.recovered, alert.recovery_s) == (None, None)


def test_open_revisions_say_nothing() -> None:
    output = run(chat(40))
    assert all(alert.recovered is None for alert in output.alerts if alert.state != "closed")


def test_a_restored_engine_goes_on_alike() -> None:
    records = chat(40)
    middle = len(records) * 2 // 3 + 30
    engine = Engine()
    first = engine.process(records[:middle])
    again = Engine.restore(engine.snapshot())
    first.extend(again.process(records[middle:]))
    assert toxic(first) == toxic(run(records))


def test_an_episode_of_a_snapshot_from_before_knows_nothing_yet() -> None:
    (alert,) = newest(run(flood(chat(0), 200)), "flood.account")
    old = msgspec.msgpack.encode([alert, 5, 5, [1]])
    assert outcome(msgspec.msgpack.decode(old, type=Episode)) == (None, None)
