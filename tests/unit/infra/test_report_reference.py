"""The oracle's windows against `pipelines.core.windows.aggregate`: two computations, one definition."""

from hypothesis import given
from hypothesis import strategies as st

from infra.local.acceptance.exactness import check
from infra.local.acceptance.recording import RecordedStream, Recording
from pipelines.core.windows import aggregate
from schemas.labels import BASIC, EMOTIONS, SCALE
from schemas.records import ScoredMessage, Window

BASE = 1_790_000_000_123
SCORES = len(EMOTIONS) + len(BASIC) + 4

LINE = st.tuples(
    st.integers(0, 25_000),
    st.integers(0, 4),
    st.booleans(),
    st.booleans(),
    st.lists(st.integers(0, SCALE), min_size=SCORES, max_size=SCORES),
)


def _message(number: int, line: tuple[int, int, bool, bool, list[int]]) -> ScoredMessage:
    offset, author, abstained, counted, integers = line
    values = [integer / SCALE for integer in integers]
    return ScoredMessage(
        channel="replay:c",
        stream_id="run/c/1",
        message_id=f"run/c/1/{number}",
        kind="message",
        sent_at=BASE + offset,
        received_at=BASE + offset,
        expires_at=BASE * 2,
        author=f"k.{author}",
        emotions=dict(zip(EMOTIONS, values, strict=False)),
        basic=dict(zip(BASIC, values[len(EMOTIONS) :], strict=False)),
        sentiment=values[-4],
        toxicity=values[-3],
        hate=values[-2],
        sarcasm=values[-1],
        model="m",
        model_version="1",
        scored_at=BASE + offset,
        abstained=abstained,
        counted=counted,
    )


def _window_row(window: Window) -> dict[str, object]:
    scalars = [window.sentiment_sum, window.toxicity_sum, window.hate_sum, window.sarcasm_sum]
    squares = [*window.emotion_sumsq, *window.basic_sumsq, window.sentiment_sumsq, window.toxicity_sumsq]
    return {
        "size_ms": window.size_ms,
        "start_ms": window.start_ms,
        "messages": window.messages,
        "scored": window.scored,
        "abstained": window.abstained,
        "authors_in_window": window.authors_in_window,
        "new_authors": window.new_authors,
        "sums": [*window.emotion_sum, *window.basic_sum, *scalars, *squares],
    }


@given(lines=st.lists(LINE, min_size=1, max_size=12))
def test_windows_of_the_reference_are_exact(lines: list[tuple[int, int, bool, bool, list[int]]]) -> None:
    messages = [_message(number, line) for number, line in enumerate(lines, start=1)]
    stored = [
        {
            "message_id": message.message_id,
            "at": message.sent_at,
            "scored": True,
            "abstained": message.abstained,
            "counted": message.counted,
            "scores": line[4],
        }
        for message, line in zip(messages, lines, strict=True)
    ]
    windows = [_window_row(window) for size in (1_000, 10_000) for window in aggregate(messages, size)]
    tables = {"FROM messages": stored, "FROM windows": windows, "FROM dead_letters": []}
    stream = RecordedStream(
        files=[0] * len(lines),
        numbers=[*range(1, len(lines) + 1)],
        offsets_ms=[line[0] for line in lines],
        authors=[line[1] for line in lines],
    )
    result = check(
        lambda query: next(rows for table, rows in tables.items() if table in query),
        Recording({"c/1": stream}, []),
        workspace="default",
        run_id="run",
    )
    assert result.exact, result.examples
