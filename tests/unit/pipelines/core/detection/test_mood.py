import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.detection.engine import Engine, Output
from schemas.labels import BASIC
from schemas.records import ChatMessage, Window
from tests.unit.pipelines.core.detection.chat_records import beat, newest, run, say, small_talk, window


def chat(turn: tuple[float, float], *, late_s: int = 1, end: int = 400) -> Output:
    """Two lines a second with usual windows; from 300 s on the windows say `turn` (sentiment, toxicity)."""
    records: list[ChatMessage | Window] = []
    for at in range(end):
        records.extend(
            [say(at + 0.1, f"a{at % 9}", f"line {at} one"), say(at + 0.6, f"b{at % 7}", f"line {at} two")]
        )
        known = at - late_s
        if known >= 0:
            sentiment, toxicity = turn if known >= 300 else (0.1, 0.05)
            records.append(window(known, 2, sentiment=sentiment, toxicity=toxicity))
    return run([*records, beat(end, end, closing=True)])


@settings(max_examples=10, deadline=None)
@given(st.floats(0.6, 1.0))
def test_a_toxic_turn_is_found_within_the_span(toxicity: float) -> None:
    (alert,) = newest(chat((0.1, toxicity)), "mood.toxic")
    assert float(alert.why["baseline"]) < 0.2
    assert not newest(chat((0.1, toxicity)), "mood.negative")


@settings(max_examples=10, deadline=None)
@given(st.floats(-1.0, -0.6))
def test_a_negative_turn_is_found(sentiment: float) -> None:
    assert newest(chat((sentiment, 0.05)), "mood.negative")


def test_the_usual_mood_raises_nothing_even_where_it_is_rough() -> None:
    assert not chat((0.1, 0.05)).alerts


def test_windows_that_come_after_the_lag_are_not_used() -> None:
    assert not newest(chat((0.1, 0.9), late_s=6), "mood.toxic")


def test_the_last_version_of_a_window_counts() -> None:
    engine = Engine()
    output = Output()
    for at in range(400):
        toxicity = 0.05 if at < 300 else 0.9
        output.extend(
            engine.process(
                [
                    say(at + 0.1, f"a{at % 9}", f"line {at}"),
                    window(at, 1, sentiment=0.1, toxicity=0.9 - toxicity),
                    window(at, 2, sentiment=0.1, toxicity=toxicity),
                ]
            )
        )
    (alert,) = newest(output, "mood.toxic")
    assert float(alert.why["baseline"]) < 0.2


@pytest.mark.parametrize("lines", [1, 4])
def test_few_lines_are_no_mood(lines: int) -> None:
    talk: list[ChatMessage | Window] = list(small_talk(0, 300))
    for at in range(310, 310 + 40 * lines, 40):
        talk.extend([beat(at - 39, at - 1), say(at, "a", "hm"), window(at, 1, sentiment=-1.0, toxicity=1.0)])
    assert not run([*talk, beat(500, 500, closing=True)]).alerts


def mixed(before: dict[str, float], after: dict[str, float], end: int = 460) -> Output:
    """Two lines a second; from 400 s on the windows hold another mix of emotions."""
    records: list[ChatMessage | Window] = []
    for at in range(end):
        records += [
            say(at + 0.1, f"a{at % 9}", f"line {at} one"),
            say(at + 0.6, f"b{at % 7}", f"line {at} two"),
        ]
        records.append(window(at, 2, sentiment=0.1, toxicity=0.05, mix=before if at < 400 else after))
    return run([*records, beat(end, end, closing=True)])


@settings(max_examples=12, deadline=None)
@given(st.permutations(BASIC), st.floats(0.6, 0.9))
def test_another_mix_of_emotions_is_a_shift_that_names_what_rose_and_fell(
    order: list[str], share: float
) -> None:
    usual, other = order[:2]
    (alert,) = newest(mixed({usual: share, "neutral": 0.1}, {other: share, "neutral": 0.1}), "mood.shift")
    if "neutral" not in (usual, other):
        assert (alert.why["rising"], alert.why["falling"]) == (other, usual)
    assert alert.detected_at - alert.started_at < 45_000


def test_the_usual_mix_is_no_shift() -> None:
    mix = {"joy": 0.5, "neutral": 0.4}
    assert not newest(mixed(mix, {"joy": 0.45, "neutral": 0.45}), "mood.shift")


def test_a_channel_hardly_known_has_no_usual_mix() -> None:
    records: list[ChatMessage | Window] = []
    for at in range(100):
        records += [say(at + 0.1, f"a{at % 9}", f"line {at}")]
        records.append(window(at, 1, sentiment=0, toxicity=0, mix={"joy" if at < 50 else "anger": 1.0}))
    assert not newest(run([*records, beat(100, 100, closing=True)]), "mood.shift")
