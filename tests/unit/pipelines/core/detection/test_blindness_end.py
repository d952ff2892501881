from pipelines.core.detection.engine import Engine
from schemas.records import Alert, ChatMessage

NOW = 1_790_000_000_000


def _record(at: int, *, closing: bool = False) -> ChatMessage:
    return ChatMessage(
        channel="twitch:someone",
        stream_id="s",
        message_id=f"{at}-{closing}",
        kind="heartbeat" if closing else "message",
        sent_at=at,
        received_at=at,
        expires_at=at + 86_400_000,
        author="" if closing else f"k.{at}",
        text="" if closing else "hello there",
        closing=closing,
    )


def test_a_blind_stream_that_ends_before_the_next_tick_is_not_left_open() -> None:
    engine = Engine()
    alerts: list[Alert] = list(engine.process([_record(NOW + second * 1_000) for second in range(5)]).alerts)
    alerts += engine.tick(NOW + 5_000).alerts
    alerts += engine.tick(NOW + 20_000).alerts
    assert [(alert.kind, alert.state) for alert in alerts] == [("blind", "open")]
    alerts += engine.process([_record(NOW + 20_500), _record(NOW + 21_000, closing=True)]).alerts
    alerts += engine.tick(NOW + 22_000).alerts
    assert [(alert.kind, alert.state) for alert in alerts] == [("blind", "open"), ("blind", "closed")]
    assert alerts[0].alert_id == alerts[1].alert_id
    assert alerts[1].revision > alerts[0].revision
