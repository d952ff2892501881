from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.windows import aggregate
from schemas.labels import BASIC, EMOTIONS, SCALE
from schemas.records import ScoredMessage


def scored(
    at: int, author: str, score: float, *, abstained: bool = False, counted: bool = True
) -> ScoredMessage:
    return ScoredMessage(
        channel="twitch:c",
        stream_id="s",
        message_id=f"{at}/{author}",
        kind="message",
        sent_at=at,
        received_at=at,
        expires_at=at + 1,
        author=author,
        emotions=dict.fromkeys(EMOTIONS, score),
        basic=dict.fromkeys(BASIC, score),
        sentiment=score,
        toxicity=score,
        hate=score,
        sarcasm=score,
        model="m",
        model_version="1",
        scored_at=at + 40,
        abstained=abstained,
        counted=counted,
    )


def test_a_window_adds_up_integers_and_starts_on_the_grid() -> None:
    rows = [scored(10_500, "a", 0.25), scored(10_900, "b", 0.5), scored(11_000, "a", 0.75)]
    first, second = aggregate(rows, 1_000)
    assert (first.start_ms, first.messages, first.authors_in_window, first.new_authors) == (10_000, 2, 2, 2)
    assert first.toxicity_sum == round(0.25 * SCALE) + round(0.5 * SCALE)
    assert first.toxicity_sumsq == round(0.25 * SCALE) ** 2 + round(0.5 * SCALE) ** 2
    assert (second.start_ms, second.new_authors, second.max_lag_ms) == (11_000, 0, 40)


def test_abstained_lines_are_counted_and_uncounted_ones_are_not() -> None:
    rows = [scored(0, "a", 0.9, abstained=True), scored(1, "b", 0.1), scored(2, "c", 0.1, counted=False)]
    (window,) = aggregate(rows, 1_000)
    assert (window.messages, window.scored, window.abstained) == (2, 1, 1)
    assert window.toxicity_sum == round(0.1 * SCALE)


@given(st.lists(st.tuples(st.integers(0, 30_000), st.sampled_from("abcd"), st.floats(0, 1)), max_size=60))
def test_longer_windows_are_sums_of_shorter_ones(lines: list[tuple[int, str, float]]) -> None:
    rows = [scored(at, author, score) for at, author, score in lines]
    short, long = aggregate(rows, 1_000), aggregate(rows, 10_000)
    for window in long:
        parts = [part for part in short if window.start_ms <= part.start_ms < window.start_ms + 10_000]
        assert window.messages == sum(part.messages for part in parts)
        assert window.toxicity_sum == sum(part.toxicity_sum for part in parts)
        assert window.new_authors == sum(part.new_authors for part in parts)
    assert sum(window.messages for window in short) == len(rows)
