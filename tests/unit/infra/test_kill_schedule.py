from hypothesis import given
from hypothesis import strategies as st

from tests.integration.kill_schedule import VICTIMS, schedule


@given(kills=st.integers(1, 60), seed=st.integers(0, 1_000))
def test_a_schedule_is_seeded_ordered_and_ends_before_the_replay(kills: int, seed: int) -> None:
    found = schedule(kills, seed)
    assert found == schedule(kills, seed)
    moments = [kill.at for kill in found]
    assert len(moments) == kills
    assert moments == sorted(moments)
    assert all(0 <= moment < 1 for moment in moments)


@given(seed=st.integers(0, 1_000))
def test_every_victim_is_struck_once_in_a_round(seed: int) -> None:
    assert {kill.victim for kill in schedule(len(VICTIMS), seed)} == set(VICTIMS)
