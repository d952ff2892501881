"""Reading a model's answer: what is accepted, what is held against it, and that nothing else gets through."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.opinion.answer import MalformedAnswerError, read
from connectors.opinion.figures import Figures

GOOD = {"sarcasm": 0.5, "sentiment": -0.25, "toxicity": 1}


def _answer(*entries: Any, **more: Any) -> str:
    return json.dumps({"opinions": list(entries), **more})


def test_a_valid_answer_gives_every_text_its_figures() -> None:
    reading = read(_answer({"id": "a", **GOOD}, {**GOOD, "id": "b", "sarcasm": 0}), ["a", "b"])
    assert reading.figures == {"a": Figures(0.5, -0.25, 1.0), "b": Figures(0.0, -0.25, 1.0)}
    assert not reading.faults
    assert not reading.suspect


def test_a_code_fence_around_the_answer_is_no_fault() -> None:
    assert read(f"```json\n{_answer({'id': 'a', **GOOD})}\n```\n", ["a"]).figures.keys() == {"a"}


@pytest.mark.parametrize(
    "entry",
    [
        {**GOOD, "toxicity": 1.01},
        {**GOOD, "toxicity": -0.1},
        {**GOOD, "sentiment": 2},
        {**GOOD, "sarcasm": "0.5"},
        {**GOOD, "sarcasm": True},
        {**GOOD, "sarcasm": None},
        {"sarcasm": 0.5, "toxicity": 0.5},
    ],
)
def test_an_invalid_entry_is_dropped_alone(entry: dict[str, Any]) -> None:
    reading = read(_answer({"id": "a", **entry}, {"id": "b", **GOOD}), ["a", "b"])
    assert reading.figures.keys() == {"b"}
    assert reading.faults == {"invalid": 1}
    assert not reading.suspect


def test_a_text_that_is_left_out_is_missing_alone() -> None:
    reading = read(_answer({"id": "b", **GOOD}), ["a", "b"])
    assert (reading.figures.keys(), reading.faults, reading.suspect) == ({"b"}, {"missing": 1}, False)


@pytest.mark.parametrize("entry", [[], 1, None, "a", {"id": 7, **GOOD}, {"id": "x" * 65, **GOOD}, {}])
def test_an_entry_of_nobody_counts_as_invalid(entry: Any) -> None:
    reading = read(_answer(entry, {"id": "b", **GOOD}), ["a", "b"])
    assert reading.figures.keys() == {"b"}
    assert reading.faults == {"invalid": 1, "missing": 1}


@pytest.mark.parametrize(
    ("entries", "fault", "left"),
    [
        ([{"id": "a", **GOOD}, {"id": "zz", **GOOD}], "unknown_id", {"a"}),
        ([{"id": "a", **GOOD}, {"id": "a", **GOOD}], "repeated_id", set()),
        ([{"id": "a", **GOOD}, {"id": "a", **GOOD, "toxicity": 9}], "repeated_id", set()),
        ([{"id": "a", **GOOD, "note": "x"}], "extra_field", set()),
    ],
)
def test_what_a_text_may_have_talked_the_model_into_makes_the_answer_suspect(
    entries: list[Any], fault: str, left: set[str]
) -> None:
    reading = read(_answer(*entries), ["a"])
    assert reading.figures.keys() == left
    assert reading.faults[fault] == 1  # type: ignore[index]
    assert reading.suspect


@pytest.mark.parametrize(
    "content",
    [
        "",
        "I cannot rate these messages.",
        "{",
        "[]",
        "null",
        '{"opinions": {}}',
        '{"opinions": null}',
        '{"ratings": []}',
        '{"opinions": [NaN]}',
        f"Sure! {_answer({'id': 'a', **GOOD})}",
        _answer({"id": "a", **GOOD}) + " done",
        _answer({"id": "a", **GOOD}, comment="all fine"),
        '{"opinions": ' + "[" * 100_000,
        "\ud800",
    ],
)
def test_an_answer_of_another_form_is_malformed(content: str) -> None:
    with pytest.raises(MalformedAnswerError) as caught:
        read(content, ["a"])
    assert "fine" not in str(caught.value)


_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_entries = st.fixed_dictionaries(
    {"id": st.sampled_from(["a", "b", "c", ""]) | _values},
    optional=dict.fromkeys(("sarcasm", "sentiment", "toxicity", "more"), _values),
)


@given(st.lists(_entries | _values, max_size=5))
def test_whatever_is_answered_figures_are_in_range_and_of_what_was_asked(entries: list[Any]) -> None:
    try:
        reading = read(json.dumps({"opinions": entries}), ["a", "b"])
    except MalformedAnswerError:
        return
    assert reading.figures.keys() <= {"a", "b"}
    for figures in reading.figures.values():
        assert 0 <= figures.sarcasm <= 1
        assert -1 <= figures.sentiment <= 1
        assert 0 <= figures.toxicity <= 1


@given(st.text())
def test_any_text_is_read_or_malformed(content: str) -> None:
    try:
        read(content, ["a"])
    except MalformedAnswerError as error:
        assert len(str(error)) < 40
