"""Evidence near emotes and what it lets propose, on chat made for the test."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest

from serving.training.emotes.evidence import MarkedLine, Near, Scores, gather
from serving.training.emotes.proposals import propose

LAUGH, SAD = "😂 😄", "😢 sad"
_GROUPS = {"lul": LAUGH, "kekw": LAUGH, "sadge": SAD, "biblethump": SAD}


def _line(words: str, at_s: int = 0, rest: str = "", stream: str = "channel/1") -> MarkedLine:
    emotes = frozenset(words.split())
    members = {emote: _GROUPS[emote] for emote in emotes if emote in _GROUPS}
    return MarkedLine(stream, 1_000 * at_s, emotes, members, rest)


def _gather(lines: Sequence[MarkedLine], scores: Scores | None = None) -> dict[str, Near]:
    unknown = np.full((len(lines), 2), np.nan, np.float32)
    return gather(lines, unknown if scores is None else scores, lambda name: (name,))


def _chat(random: Random, near: dict[str, Sequence[str]], lines: int = 400) -> list[MarkedLine]:
    """Emote after emote, a minute apart; behind each, at once, one of those that stand near it."""
    chat = []
    for number in range(lines):
        emote = random.choice(list(near))
        chat.append(_line(emote, 60 * number))
        chat.append(_line(random.choice(near[emote]), 60 * number + 1))
    return chat


def test_an_emote_takes_the_group_that_stands_near_it_and_a_mixed_one_none() -> None:
    near = {"new": ["lul", "kekw"], "tear": ["sadge", "biblethump"], "mixed": [*_GROUPS]}
    found = {p.unit: p for p in propose(_gather(_chat(Random(1), near)), _GROUPS)}
    assert (found["new"].group, found["tear"].group, found["mixed"].group) == (LAUGH, SAD, None)
    assert found["new"].surprise > 3


def test_an_emote_is_no_evidence_on_itself() -> None:
    lines = [_line("lul", second) for second in range(100)]
    assert not _gather(lines)["lul"].observed


def test_lines_far_away_in_time_or_in_another_stream_are_not_near() -> None:
    far = [_line("new", 0), _line("lul", 60), _line("new", 120), _line("lul", 120, stream="channel/2")]
    assert not _gather(far)["new"].observed
    assert _gather([_line("new", 0), _line("lul", 10)])["new"].observed == {LAUGH: 1}


def test_a_pasted_line_counts_once() -> None:
    lines = [_line("new lul", 60 * minute, "the same story again") for minute in range(50)]
    assert _gather(lines)["new"].lines == 1
    assert _gather(lines)["new"].observed == {LAUGH: 1}


def test_text_around_is_measured_against_its_stream() -> None:
    lines = [_line("new", 0, "what a day"), _line("", 60, "other"), _line("", 120, "else")]
    scores = np.array([[0.9, 0.6], [0.3, 0.0], [0.3, 0.0]], np.float32)
    near = _gather(lines, scores)["new"]
    assert near.texts == 1
    assert near.lift == pytest.approx([0.4, 0.4])


def test_few_lines_say_nothing() -> None:
    assert propose(_gather([_line("new", 0), _line("lul", 1)] * 10), _GROUPS) == []
    assert _gather([]) == {}


def test_text_that_scores_against_a_group_speaks_against_it() -> None:
    random = Random(2)
    chat = _chat(random, {"new": ["lul"], "kekw": ["lul"], "tear": ["sadge"]}, 900)
    feeling = {"new": 1.0, "kekw": -1.0}
    scores = np.array([[feeling.get(next(iter(line.emotes)), 0.0)] * 2 for line in chat], np.float32)
    found = {p.unit: p for p in propose(_gather(chat, scores), {"kekw": LAUGH})}
    assert found["new"].nearest == LAUGH
    assert found["new"].group is None
    assert {p.unit: p for p in propose(_gather(chat), {"kekw": LAUGH})}["new"].group == LAUGH
