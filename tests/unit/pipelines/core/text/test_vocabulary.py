"""Known features: which are chosen, that each has its row, that the others are left out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.text import normalise
from pipelines.core.text.ngrams import hashed_bags
from pipelines.core.text.vocabulary import FEATURE_BITS, Vocabulary

TEXTS = st.lists(st.text(max_size=30).map(normalise), min_size=1, max_size=8)


@settings(deadline=None)  # the first call compiles
@given(TEXTS, TEXTS)
def test_known_features_get_their_rows_and_no_other_does(known: list[str], texts: list[str]) -> None:
    of_known = hashed_bags(known, FEATURE_BITS)
    keys = np.unique(np.concatenate([of_known.words, of_known.chars]))
    vocabulary = Vocabulary(keys)
    raw, bags = hashed_bags(texts, FEATURE_BITS), vocabulary.bags(texts)
    for ids, ends, rows, row_ends in (
        (raw.words, raw.word_ends, bags.words, bags.word_ends),
        (raw.chars, raw.char_ends, bags.chars, bags.char_ends),
    ):
        assert len(row_ends) == len(texts) + 1
        for text in range(len(texts)):
            expected = [at for at in ids[ends[text] : ends[text + 1]].tolist() if at in set(keys.tolist())]
            assert keys[rows[row_ends[text] : row_ends[text + 1]]].tolist() == expected


def test_the_most_frequent_features_are_chosen_and_single_ones_never() -> None:
    bags = hashed_bags(["spam spam spam", "spam eggs eggs", "bacon"], FEATURE_BITS)
    spam, eggs = (hashed_bags([word], FEATURE_BITS).words.tolist() for word in ("spam", "eggs"))
    # Four times each: "spam" and its n-grams; then the n-grams of "eggs".
    least = Vocabulary.most_frequent(bags, 1 + len(hashed_bags(["spam"], FEATURE_BITS).chars))
    assert set(spam) <= set(least.keys.tolist())
    assert not set(eggs) & set(least.keys.tolist())
    everything = Vocabulary.most_frequent(bags, 1_000)
    assert set(spam + eggs) <= set(everything.keys.tolist())
    assert not set(hashed_bags(["bacon"], FEATURE_BITS).words.tolist()) & set(everything.keys.tolist())


@pytest.mark.parametrize("keys", [[3, 2], [1, 1], [-1, 4]])
def test_ids_out_of_order_are_refused(keys: list[int]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        Vocabulary(np.array(keys, dtype=np.int32))


def test_an_empty_vocabulary_knows_nothing() -> None:
    bags = Vocabulary(np.zeros(0, dtype=np.int32)).bags(["spam", ""])
    assert len(bags.words) == len(bags.chars) == 0
    assert bags.word_ends.tolist() == [0, 0, 0]
