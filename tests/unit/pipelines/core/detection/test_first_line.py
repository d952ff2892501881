from pipelines.core.detection.engine import Engine
from schemas.records import ChatMessage

NOW = 1_790_000_000_000


def _line(at: int, number: int) -> ChatMessage:
    return ChatMessage(
        channel="replay:c",
        stream_id="run/c/1",
        message_id=str(number),
        kind="message",
        sent_at=NOW + at,
        received_at=NOW + at,
        expires_at=NOW * 2,
        author=f"k.{number}",
        text="hello there",
    )


def test_a_first_line_followed_by_a_silence_is_in_the_activity() -> None:
    closing = ChatMessage(
        channel="replay:c",
        stream_id="run/c/1",
        message_id="closing",
        kind="heartbeat",
        sent_at=NOW + 9_000,
        received_at=NOW + 9_000,
        expires_at=NOW * 2,
        closing=True,
    )
    output = Engine().process([_line(0, 1), _line(5_000, 2), _line(5_000, 3), _line(9_000, 4), closing])
    assert sum(row.messages for row in output.activity) == 4
    assert output.late == 0
