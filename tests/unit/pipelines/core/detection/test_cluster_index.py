"""Which cluster a text joins may depend on the lines so far, never on a restore between them."""

import random

import pytest

from pipelines.core.detection.engine import Engine
from pipelines.core.detection.lines import to_lines
from pipelines.core.detection.memory import MAX_BANDS, Memory
from pipelines.core.detection.state import ChannelState, StreamState
from tests.unit.pipelines.core.detection.chat_records import START_MS, say

WORDS = [
    "everyone",
    "laughs",
    "about",
    "this",
    "boring",
    "stream",
    "please",
    "leave",
    "and",
    "never",
    "come",
    "back",
]


def similar_lines(seed: int, count: int) -> list[str]:
    """Lines so alike that many share a band of their signatures, and only some are near-identical."""
    rng = random.Random(seed)
    return [" ".join(rng.sample(WORDS, 6)) for _ in range(count)]


@pytest.mark.parametrize("seed", range(8))
def test_restores_do_not_move_a_line_to_another_cluster(seed: int) -> None:
    lines = [say(i / 4, f"a{i}", text) for i, text in enumerate(similar_lines(seed, 160))]
    through, restored = Engine(), Engine()
    for line in lines:
        through.process([line])
        restored.process([line])
        restored = Engine.restore(restored.snapshot())
    assert restored.snapshot() == through.snapshot()


def test_the_index_stays_bounded_and_finds_what_is_kept() -> None:
    state = StreamState("s")
    memory, channel = Memory(state), ChannelState("default", "twitch:c")
    start = START_MS // 1000
    for second in range(40):
        texts = [
            f"{second} different {second * 7 + i} sentence {i} of {i * 31} many words" for i in range(60)
        ]
        memory.take(
            second + start, list(to_lines([say(second, f"a{i}", t) for i, t in enumerate(texts)])), channel
        )
        assert len(memory._bands) <= MAX_BANDS + 16
    newest = next(reversed(state.clusters.values()))
    assert memory._near(newest.signature) is not None
