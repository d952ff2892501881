"""The sample of lines."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.sampling import sampled


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_smaller_sample_is_part_of_a_larger_one(message_id: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert sampled(message_id, large) or not sampled(message_id, small)
    assert not sampled(message_id, 0.0)
    assert sampled(message_id, 1.0)


def test_the_sample_is_as_large_as_asked() -> None:
    found = sum(sampled(f"m{at}", 0.1) for at in range(20_000))
    assert 1_800 < found < 2_200
