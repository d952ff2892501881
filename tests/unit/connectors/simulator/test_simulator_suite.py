from itertools import combinations

import pytest

from connectors.simulator.event_kinds import Wave
from connectors.simulator.generator import simulate
from connectors.simulator.suite import SPLITS, Split, scenario_of, suite


def test_no_channel_stands_in_two_splits_and_some_families_only_in_test() -> None:
    names = {split: {channel.name for channel in suite().channels[split]} for split in SPLITS}
    for one, other in combinations(SPLITS, 2):
        assert not names[one] & names[other]
    unseen = [family.name for family in suite().families if family.splits == ("test",)]
    assert len(unseen) >= 10


@pytest.mark.parametrize("split", SPLITS)
def test_every_family_of_a_split_is_played_once_and_told_in_the_truth(split: Split) -> None:
    scenario = scenario_of(split, 3)
    families = {family.name for family in suite().families if split in family.splits}
    truth = simulate(scenario, 3).truth
    told = [event.family for event in truth if not event.family.startswith("cover.")]
    assert sorted(told) == sorted(families)
    assert scenario_of(split, 3) == scenario
    assert scenario_of(split, 4) != scenario


def test_nothing_else_happens_while_a_wave_runs() -> None:
    scenario = scenario_of("test", 5)
    waves = [event for event in scenario.events if isinstance(event, Wave)]
    assert waves
    for wave in waves:
        start = wave.start_s
        assert isinstance(start, float)
        others = [e.start_s for e in scenario.events if e is not wave and e.after is None]
        assert all(isinstance(at, float) and abs(at - start) >= 160 for at in others)
