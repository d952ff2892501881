import gzip
import re
from itertools import pairwise

import msgspec
import pytest

from connectors.replay.recorded_line import parse_line
from connectors.simulator.generator import simulate
from connectors.simulator.recording import RECORDINGS, Truth, encode_lines
from connectors.simulator.scenario import load_scenario

SEED = 7


@pytest.fixture(scope="module")
def raw() -> bytes:
    return gzip.decompress((RECORDINGS / "demo.jsonl.gz").read_bytes())


@pytest.fixture(scope="module")
def truth() -> list[Truth]:
    lines = (RECORDINGS / "demo.truth.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Truth) for line in lines]


def test_the_bundled_recording_is_what_the_scenario_gives(raw: bytes, truth: list[Truth]) -> None:
    simulation = simulate(load_scenario("demo"), SEED)
    assert encode_lines(simulation.lines) == raw
    assert simulation.truth == truth


def test_it_is_small_and_long_enough(raw: bytes) -> None:
    lines = [parse_line(line) for line in raw.splitlines()]
    assert (RECORDINGS / "demo.jsonl.gz").stat().st_size < 400_000
    assert 8 * 60_000 <= lines[-1].offset_ms <= 10 * 60_000
    assert {line.stream.split("/")[0][-2:] for line in lines} == {"ru", "en", "es", "pt", "de"}


def test_something_happens_about_every_minute_and_soon(truth: list[Truth]) -> None:
    starts = sorted(event.started_at_ms for event in truth)
    assert truth[0].kind == "hype"
    assert starts[0] < 45_000
    assert max(later - earlier for earlier, later in pairwise(starts)) < 75_000
    assert {"hype", "friendly_raid", "hate_raid", "account_flood", "mood_turn", "copypasta", "giveaway"} <= {
        event.kind for event in truth
    }


def test_no_names_and_no_real_addresses(raw: bytes) -> None:
    for line in map(parse_line, raw.splitlines()):
        assert re.fullmatch(r"u[0-9a-f]{12}", line.author)
        for mention in re.findall(r"(?<!\w)@(\w+)", line.text):
            assert re.fullmatch(r"u[0-9a-f]{12}", mention), line.text
        for host in re.findall(r"https?://([^/\s]+)", line.text):
            assert host.endswith(".example")
        assert not re.search(r"\b\w+\.(com|net|org|ru|tv|gg|io)\b", line.text)
