"""The attack suite: repeatable, effective on words, undone by the normaliser where it promises to."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.text.normalise import normalise
from serving.training.attacks import ATTACKS

LINES = {"en": "you are such an idiot, go away", "ru": "ты полный идиот, уходи отсюда"}


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_an_attack_changes_words_and_is_the_same_for_a_seed(name: str, line: str) -> None:
    attacked = ATTACKS[name](line, Random(3))
    assert attacked == ATTACKS[name](line, Random(3))
    assert attacked != line or (name == "letter_for_emote" and not line.isascii())


@pytest.mark.parametrize("name", ATTACKS)
@given(st.text(st.characters(codec="utf-8")), st.integers(0, 9))
def test_any_text_can_be_attacked(name: str, text: str, seed: int) -> None:
    assert isinstance(ATTACKS[name](text, Random(seed)), str)


@pytest.mark.parametrize(
    "name", ["homoglyph", "zero_width", "diacritics", "letter_for_emote", "mixed_script"]
)
def test_the_normaliser_undoes_what_only_looks_different(name: str) -> None:
    line = LINES["en"]
    undone = [normalise(ATTACKS[name](line, Random(seed))) == line for seed in range(20)]
    assert all(undone)


@pytest.mark.parametrize("name", ["spaced", "stretched", "word_splitting", "leet"])
def test_words_that_are_too_short_are_left_alone(name: str) -> None:
    assert ATTACKS[name]("a bc 12 !?", Random(0)) == "a bc 12 !?"
