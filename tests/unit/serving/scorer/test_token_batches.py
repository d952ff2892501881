"""Length-bucketed, token-bounded grouping."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from serving.scorer.token_batches import token_bounded

LENGTHS = st.lists(st.integers(1, 300), max_size=60)


@given(LENGTHS, st.integers(1, 1_000))
def test_every_row_is_in_one_group_and_no_group_costs_more_than_allowed(
    lengths: list[int], most: int
) -> None:
    groups = token_bounded(lengths, most)
    assert sorted(row for group in groups for row in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or len(group) * max(lengths[row] for row in group) <= most


@given(LENGTHS, st.integers(300, 1_000))
def test_groups_are_as_large_as_the_bound_allows(lengths: list[int], most: int) -> None:
    groups = token_bounded(lengths, most)
    for group, after in pairwise(groups):
        assert (len(group) + 1) * lengths[after[0]] > most
