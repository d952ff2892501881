import re
from collections import defaultdict
from statistics import mean
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.replay.recorded_line import parse_line
from connectors.simulator.event_kinds import Event
from connectors.simulator.generator import ALERTS, HOSTILE, PLAYERS, simulate
from connectors.simulator.recording import encode_lines
from connectors.simulator.scenario import Scenario

SEEDS = st.integers(min_value=0, max_value=10**9)
DAY_S = 86_400


def test_every_kind_has_a_player_and_a_place_in_the_truth() -> None:
    kinds = {get_args(model.model_fields["kind"].annotation)[0] for model in get_args(get_args(Event)[0])}
    assert kinds == set(PLAYERS) == set(ALERTS)
    assert kinds > HOSTILE


@given(seed=SEEDS)
@settings(max_examples=5, deadline=None)
def test_same_seed_same_bytes(everything: Scenario, seed: int) -> None:
    first, second = simulate(everything, seed), simulate(everything, seed)
    assert encode_lines(first.lines) == encode_lines(second.lines)
    assert encode_lines(first.truth) == encode_lines(second.truth)


def test_seeds_differ_in_people_texts_and_what_was_drawn(everything: Scenario) -> None:
    first, second = simulate(everything, 1), simulate(everything, 2)
    assert not {line.author for line in first.lines} & {line.author for line in second.lines}
    raids = [next(t for t in s.truth if t.kind == "hate_raid") for s in (first, second)]
    assert raids[0].parameters != raids[1].parameters
    assert raids[0].started_at_ms != raids[1].started_at_ms


@given(seed=SEEDS)
@settings(max_examples=8, deadline=None)
def test_lines_are_recorded_chat_in_time_order(everything: Scenario, seed: int) -> None:
    lines = simulate(everything, seed).lines
    for raw in encode_lines(lines).splitlines():
        parse_line(raw)  # raises where a field is wrong
    offsets = [line.offset_ms for line in lines]
    assert offsets == sorted(offsets)
    assert 0 <= offsets[0] <= offsets[-1] < everything.length_s * 1000
    assert all(line.text.strip() == line.text and line.text for line in lines)
    assert all(set(line.emotes) <= set(line.text.split()) for line in lines)


@given(seed=SEEDS)
@settings(max_examples=8, deadline=None)
def test_truth_is_what_stands_in_the_stream(everything: Scenario, seed: int) -> None:
    simulation = simulate(everything, seed)
    marked = defaultdict(list)
    for said in simulation.spoken:
        if said.event is not None:
            marked[everything.events[said.event].kind].append(said.line)
    assert len(simulation.truth) == len(everything.events)
    for truth in simulation.truth:
        lines = marked[truth.kind]
        assert truth.messages == len(lines)
        assert truth.accounts == len({line.author for line in lines})
        assert (truth.started_at_ms, truth.ended_at_ms) == (lines[0].offset_ms, lines[-1].offset_ms)
        assert {line.stream for line in lines} <= set(truth.channels)
        assert truth.stream == truth.channels[0]
        assert truth.hostile == (truth.first_hostile_ms is not None) == (truth.kind in HOSTILE)
        if truth.fifth_account_ms is not None:
            early = {line.author for line in lines if line.offset_ms <= truth.fifth_account_ms}
            before = {line.author for line in lines if line.offset_ms < truth.fifth_account_ms}
            assert len(early) >= 5 > len(before)


@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_raiders_are_new_and_young_and_say_so_where_the_platform_tells(
    everything: Scenario, seed: int
) -> None:
    simulation = simulate(everything, seed)
    seen: set[tuple[str, str]] = set()
    for said in simulation.spoken:
        line = said.line
        if line.stream.startswith("c_de/"):
            assert b"account_age_s" not in encode_lines([line])
            continue
        if said.event is not None and everything.events[said.event].kind == "hate_raid":
            assert line.account_age_s < 6 * DAY_S
            assert line.first_message == ((line.stream, line.author) not in seen)
        seen.add((line.stream, line.author))


def test_one_more_event_leaves_the_other_channels_as_they_were(everything: Scenario) -> None:
    events = [event for event in everything.events if event.channels == ["a_en"]]
    fewer = everything.model_copy(update={"events": events[:1]})
    more = everything.model_copy(update={"events": events[:2]})

    def others(scenario: Scenario) -> bytes:
        return encode_lines(
            line for line in simulate(scenario, 5).lines if not line.stream.startswith("a_en/")
        )

    assert others(fewer) == others(more)


def test_after_counts_from_the_other_events_start(everything: Scenario) -> None:
    scenario = everything.model_validate(
        everything.model_dump()
        | {
            "events": [
                {"kind": "hype", "name": "x", "channels": ["a_en"], "start_s": [20, 90]},
                {"kind": "account_flood", "channels": ["b_ru"], "after": "x", "start_s": 10},
            ]
        }
    )
    for seed in range(5):
        truth = {event.kind: event for event in simulate(scenario, seed).truth}
        behind_ms = truth["account_flood"].started_at_ms - truth["hype"].started_at_ms
        assert 5_000 < behind_ms <= 10_000  # the first shout comes some seconds after the hype begins


def test_ordinary_chat_keeps_its_rate_and_has_heavy_tailed_regulars() -> None:
    scenario = Scenario.model_validate(
        {
            "name": "calm",
            "length_s": 1200,
            "channels": [{"name": "a", "language": "es", "rate_per_s": 2, "regulars": 200}],
        }
    )
    simulations = [simulate(scenario, seed).lines for seed in range(6)]
    assert (
        1.8 < mean(len(lines) / scenario.length_s for lines in simulations) < 2.6
    )  # small moments come on top
    by_author: dict[str, int] = defaultdict(int)
    for line in simulations[0]:
        by_author[line.author] += 1
    counts = sorted(by_author.values(), reverse=True)
    tenth = len(counts) // 10
    assert sum(counts[:tenth]) > 0.3 * sum(counts)


@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_no_names_no_addresses_but_reserved_ones(everything: Scenario, seed: int) -> None:
    for line in simulate(everything, seed).lines:
        assert not re.search(r"@(?!u[0-9a-f]{12}\b)\w", line.text) or _leet(line.text)
        for host in re.findall(r"https?://([^/\s]+)", line.text):
            assert host.endswith(".example")
        assert not re.search(r"\b\w+\.(com|net|org|ru|tv|gg|io)\b", line.text)


def _leet(text: str) -> bool:
    """Leet writes а as @ inside words."""
    return bool(re.search(r"@[а-яё34057]", text))


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_attacks_vary_from_seed_to_seed(everything: Scenario, kind: str) -> None:
    families = {
        truth.family for seed in range(8) for truth in simulate(everything, seed).truth if truth.kind == kind
    }
    assert len(families) >= 3
