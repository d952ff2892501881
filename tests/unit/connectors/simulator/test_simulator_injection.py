from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.simulator.injection import InjectionError, inject
from connectors.simulator.scenario import Scenario

CHANNEL = {"language": "en", "rate_per_s": 1, "regulars": 10}
SCENARIO = Scenario.model_validate(
    {
        "name": "over",
        "length_s": 60,
        "channels": [{"name": "x", **CHANNEL}, {"name": "y", **CHANNEL}],
        "events": [
            {"kind": "hate_raid", "channels": ["x"], "start_s": [5, 30], "accounts": [8, 12]},
            {"kind": "giveaway", "channels": ["y"], "start_s": [5, 30], "accounts": 10},
            {"kind": "hype", "channels": ["x"], "start_s": 400},
        ],
    }
)


def recorded(offsets: list[int], streams: tuple[str, ...] = ("a/1", "b/1", "c/1")) -> list[bytes]:
    return [
        b'{ "stream":"%s",  "offset_ms":%d,"author":"u%d","text":"hi","emotes":["Own"],"badges":[],"bits":0}'
        % (streams[n % len(streams)].encode(), at, n % 7)
        for n, at in enumerate(offsets)
    ]


@given(
    gaps=st.lists(st.integers(0, 9_000), min_size=3, max_size=120),
    seed=st.integers(0, 10**6),
    shift=st.sampled_from([0.0, 12.5]),
)
@settings(max_examples=40, deadline=None)
def test_recorded_lines_stay_and_injected_ones_lie_in_time(gaps: list[int], seed: int, shift: float) -> None:
    offsets = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    lines = recorded(offsets)
    merged, truth = inject(SCENARIO, seed, lines, shift_s=shift)
    left = iter(merged)
    assert all(line in left for line in lines)  # the recording is a subsequence, byte by byte
    added = list((Counter(merged) - Counter(lines)).elements())
    assert len(merged) == len(lines) + len(added)
    assert not [line for line in added if b'"c/1"' in line]
    by_stream: dict[str, list[int]] = {}
    for line in map(msgspec.json.decode, merged):
        by_stream.setdefault(line["stream"], []).append(line["offset_ms"])
    for times in by_stream.values():
        assert times == sorted(times)
    assert {event.kind for event in truth} <= {"hate_raid", "giveaway"}
    for event in truth:
        assert event.started_at_ms >= (5 + shift) * 1000 - 1000


def test_people_emotes_and_fields_are_those_of_the_recording() -> None:
    lines = recorded([n * 500 for n in range(400)])
    merged, truth = inject(SCENARIO, 3, lines)
    added = [msgspec.json.decode(line) for line in merged if line not in set(lines)]
    assert {event.stream for event in truth} == {"a/1", "b/1"}
    assert {name for line in added for name in line["emotes"]} <= {"Own"}
    assert not [line for line in added if "account_age_s" in line or "first_message" in line]
    keyword = [line["author"] for line in added if line["text"].startswith("!")]
    assert {author for author in keyword if len(author) < 4} == {f"u{n}" for n in range(7)}


def test_whole_seconds_stay_whole() -> None:
    merged, _ = inject(SCENARIO, 3, recorded([n * 1000 for n in range(300)]))
    assert all(msgspec.json.decode(line)["offset_ms"] % 1000 == 0 for line in merged)


def test_a_recording_with_too_few_streams() -> None:
    with pytest.raises(InjectionError, match=r"1 streams.*needs 2"):
        inject(SCENARIO, 1, recorded([0, 1, 2], streams=("a/1",)))


def test_a_line_that_is_no_chat() -> None:
    with pytest.raises(InjectionError, match=r"line 2 of the recording"):
        inject(SCENARIO, 1, [*recorded([0]), b"{}"])
