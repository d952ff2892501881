"""Streams of an A/B test: stable, as many as asked, and a larger share only adds some."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.arms import in_arm_b

STREAMS = [("default", f"twitch:c{number}/live") for number in range(5_000)]


def test_as_many_streams_as_asked_are_in_b() -> None:
    assert 900 < sum(in_arm_b(STREAMS, 0.2)) < 1_100
    assert not any(in_arm_b(STREAMS, 0))
    assert all(in_arm_b(STREAMS, 1))


@given(st.lists(st.sampled_from(STREAMS[:50]), max_size=40), st.floats(0, 1), st.floats(0, 1))
def test_a_stream_has_one_arm_in_whatever_company_and_a_larger_share_only_adds(
    streams: list[tuple[str, str]], one: float, other: float
) -> None:
    small, large = sorted((one, other))
    alone = [in_arm_b([stream], small)[0] for stream in streams]
    assert in_arm_b(streams, small) == alone
    assert all(more or not less for less, more in zip(alone, in_arm_b(streams, large), strict=True))


def test_equal_names_in_two_workspaces_are_two_streams() -> None:
    names = [stream for _, stream in STREAMS]
    assert in_arm_b([("one", name) for name in names], 0.5) != in_arm_b(
        [("two", name) for name in names], 0.5
    )
