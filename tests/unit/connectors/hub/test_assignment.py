from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from connectors.hub.assignment import owner_of

NAMES = st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=8, unique=True)


@given(NAMES, st.text())
def test_everybody_computes_the_same_owner_whatever_the_order(listeners: list[str], channel: str) -> None:
    owner = owner_of(channel, listeners)
    assert owner in listeners
    assert owner_of(channel, reversed(listeners)) == owner


@given(NAMES, st.lists(st.text(), max_size=40))
def test_only_the_channels_of_the_one_that_is_gone_move(listeners: list[str], channels: list[str]) -> None:
    gone, *rest = listeners
    for channel in channels:
        before = owner_of(channel, listeners)
        after = owner_of(channel, rest)
        assert after == before or before == gone


def test_channels_are_spread_about_evenly() -> None:
    counts = Counter(owner_of(f"default|twitch:c{n}", ["a", "b", "c", "d"]) for n in range(4_000))
    assert all(850 <= count <= 1_150 for count in counts.values()), counts


def test_without_listeners_nobody_owns_a_channel() -> None:
    assert owner_of("default|twitch:c", []) is None
