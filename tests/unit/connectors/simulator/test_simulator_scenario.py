from pathlib import Path

import pytest

from connectors.simulator.generator import simulate
from connectors.simulator.scenario import ScenarioError, bundled, load_scenario

GOOD = """
name: x
length_s: 60
channels: [{name: a, language: en, rate_per_s: 1, regulars: 10}]
events:
  - {kind: hype, channels: [a], start_s: 10}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_is_a_scenario(tmp_path: Path) -> None:
    assert load_scenario(written(tmp_path, GOOD)).events[0].kind == "hype"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("language: en", "language: xx", ["channels.0.language", "'en'", "'ru'"]),
        ("rate_per_s: 1", "rate_per_s: -1", ["channels.0.rate_per_s", "greater than 0"]),
        ("kind: hype", "kind: hipe", ["events.0", "hype", "hate_raid"]),
        ("start_s: 10", "start_s: [30, 10]", ["events.0.hype.start_s", "low ≤ high"]),
        ("start_s: 10", "begin: 10", ["events.0.hype.begin", "events.0.hype.start_s"]),
        ("channels: [a], ", "channels: [b], ", ["events.0.channels", "no channel 'b'", "a"]),
        ("start_s: 10", "start_s: 10, after: y", ["events.0.after", "'y'"]),
        ("start_s: 10", "start_s: 10, mood: []", ["events.0.hype.mood", "at least 1"]),
        ("name: x", "name: [", ["not YAML"]),
        ("name: x", "- x", ["not YAML"]),
        ("length_s: 60", "length_s: 1e9", ["length_s", "86400"]),
    ],
)
def test_what_is_wrong_and_what_is_allowed(tmp_path: Path, old: str, new: str, said: list[str]) -> None:
    assert old in GOOD
    with pytest.raises(ScenarioError) as raised:
        load_scenario(written(tmp_path, GOOD.replace(old, new, 1)))
    for part in said:
        assert part in str(raised.value)


def test_an_unknown_name_lists_the_bundled_ones() -> None:
    with pytest.raises(ScenarioError, match=r"demo"):
        load_scenario("no-such-scenario")


@pytest.mark.parametrize("name", sorted(bundled()))
def test_bundled_scenarios_play_out_whole(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.description
    for seed in (1, 2):
        assert len(simulate(scenario, seed).truth) == len(scenario.events)
