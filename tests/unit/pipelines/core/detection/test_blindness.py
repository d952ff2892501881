from pipelines.core.detection.blindness import BLIND_AFTER_MS
from pipelines.core.detection.channel import IDLE_MS, IDLE_REPLAY_MS
from pipelines.core.detection.engine import Engine
from tests.unit.pipelines.core.detection.chat_records import beat, say

NOW = 1_800_000_000_000


def watched() -> Engine:
    engine = Engine()
    engine.process([say(0, "a", "x"), say(1, "a", "y")])
    assert not engine.tick(NOW).alerts
    return engine


def test_a_stream_without_any_record_turns_blind_once() -> None:
    engine = watched()
    assert not engine.tick(NOW + BLIND_AFTER_MS - 1).alerts
    (alert,) = engine.tick(NOW + BLIND_AFTER_MS).alerts
    assert (alert.kind, alert.state) == ("blind", "open")
    assert not engine.tick(NOW + 2 * BLIND_AFTER_MS).alerts


def test_heartbeats_are_sight_and_calm_is_not_blind() -> None:
    engine = watched()
    for step in range(1, 40):
        engine.process([beat(step, step + 1)])
        assert not engine.tick(NOW + step * 1000).alerts


def test_blind_closes_with_the_next_record() -> None:
    engine = watched()
    (opened,) = engine.tick(NOW + BLIND_AFTER_MS).alerts
    engine = Engine.restore(engine.snapshot())
    engine.process([beat(1, 2)])
    (closed,) = engine.tick(NOW + BLIND_AFTER_MS + 1000).alerts
    assert (closed.alert_id, closed.state, closed.revision) == (opened.alert_id, "closed", 2)


def test_a_backlog_is_not_blind() -> None:
    engine = watched()
    for step in range(1, 5):
        engine.process([beat(step, step + 1)])  # received long ago, read only now
        assert not engine.tick(NOW + step * (BLIND_AFTER_MS - 1)).alerts


def test_an_ended_stream_is_not_blind() -> None:
    engine = watched()
    engine.process([beat(1, 1, closing=True)])
    engine.tick(NOW + 1000)
    assert not engine.tick(NOW + 10 * BLIND_AFTER_MS).alerts


def test_idle_channels_are_forgotten_replays_sooner() -> None:
    engine = Engine()
    engine.process([say(0, "a", "x"), say(0, "a", "x", channel="replay:c", stream="run/c/1")])
    engine.tick(NOW)
    engine.tick(NOW + IDLE_REPLAY_MS + 1)
    assert len(engine) == 1
    engine.tick(NOW + IDLE_MS + 1)
    assert len(engine) == 0
