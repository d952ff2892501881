"""Hashed features: bounds, independence of the batch, what counts as a word."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.text import normalise
from pipelines.core.text.ngrams import hashed_bags

BITS = 18
CANONICAL = st.text(max_size=40).map(normalise)


def _ids(text: str) -> tuple[list[int], list[int]]:
    bags = hashed_bags([text], BITS)
    return bags.words.tolist(), bags.chars.tolist()


@settings(deadline=None)  # the first call compiles
@given(st.lists(CANONICAL, min_size=1, max_size=6))
def test_a_text_has_the_same_features_alone_and_in_a_batch(texts: list[str]) -> None:
    bags = hashed_bags(texts, BITS)
    assert len(bags.word_ends) == len(bags.char_ends) == len(texts) + 1
    for index, text in enumerate(texts):
        words, chars = _ids(text)
        assert bags.words[bags.word_ends[index] : bags.word_ends[index + 1]].tolist() == words
        assert bags.chars[bags.char_ends[index] : bags.char_ends[index + 1]].tolist() == chars


@settings(deadline=None)
@given(CANONICAL, st.integers(4, 20))
def test_ids_fit_the_table(text: str, bits: int) -> None:
    bags = hashed_bags([text], bits)
    ids = np.concatenate([bags.words, bags.chars])
    assert ((ids >= 0) & (ids < 2**bits)).all()


def test_words_pairs_and_character_ngrams_are_counted() -> None:
    words, chars = _ids("hello you")
    assert len(words) == 3  # two words and their pair
    # <hello>: five 3-grams, four 4-grams, three 5-grams; <you>: three, two, one.
    assert len(chars) == 12 + 6


def test_scripts_without_spaces_count_characters_as_words() -> None:
    words, chars = _ids("我爱你")
    assert len(words) == 3 + 2
    assert len(chars) == 3 + 2 + 1


def test_order_matters_to_pairs_only() -> None:
    one, other = _ids("red blue")[0], _ids("blue red")[0]
    assert set(one) != set(other)
    assert len(set(one) & set(other)) == 2


def test_an_apostrophe_stays_inside_a_word_and_ends_none() -> None:
    assert len(_ids("don't")[0]) == 1
    assert len(_ids("dogs' x")[0]) == 5  # dogs, ', x and two pairs


def test_empty_text_has_no_features() -> None:
    assert _ids("") == ([], [])
