import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.fingerprint import AGREE, HASHES, agreement, bands, signature, signatures, stable_hash
from pipelines.core.text.batch import code_points

LINE = "everyone laughs at this stream, please log off and never come back to this channel"


def met(one: str, other: str) -> bool:
    """Whether a clustering by bands would have put the two together."""
    first, second = signature(one), signature(other)
    return bool(set(bands(first)) & set(bands(second))) and agreement(first, second) >= AGREE


@given(st.text(max_size=700))
def test_any_text_has_a_signature_of_fixed_size_or_none(text: str) -> None:
    assert len(signature(text)) in (0, 4 * HASHES)
    assert signature(text) == signature(text)
    assert 0 <= stable_hash(text) < 2**64


def test_hashes_are_the_same_on_every_machine() -> None:
    assert stable_hash("gg") != stable_hash("gg ")
    assert f"{stable_hash('gg'):016x}" == "0f0bb3e0444515ee"


@given(st.permutations(LINE.split()))
def test_word_order_does_not_matter(words: list[str]) -> None:
    assert signature(" ".join(words)) == signature(LINE)


@pytest.mark.parametrize("seed", range(40))
def test_random_suffixes_stay_near(seed: int) -> None:
    rng = random.Random(seed)
    one, other = ("".join(rng.choices("abcdefgh0123", k=5)) for _ in range(2))
    assert met(f"{LINE} {one}", f"{LINE} {other}")


def test_other_texts_are_far() -> None:
    other = "does anybody know which song was playing during the boss fight yesterday evening"
    assert agreement(signature(LINE), signature(other)) < AGREE


@pytest.mark.parametrize("text", ["", "gg", "lol lol", "   "])
def test_short_texts_match_only_when_equal(text: str) -> None:
    assert signature(text) == b""


def test_signatures_are_the_same_on_every_machine() -> None:
    assert signature(LINE)[:16].hex() == "6ce9850079d96904c0fda6031943e505"


@given(st.lists(st.text(max_size=80), max_size=8))
def test_many_signatures_at_once_are_those_of_each(texts: list[str]) -> None:
    assert signatures(*code_points(texts)) == [signature(text) for text in texts]
