"""The view `index_steps` against pipelines/core/indices.py."""

from collections.abc import Iterator

import pytest

from pipelines.core.indices import PRIORS, index_of
from tests.fixtures.store import NEVER_MS, TestStore, line, window

START = 1_700_000_000_000 - 1_700_000_000_000 % 60_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestStore]:
    with TestStore.open(tmp_path_factory.mktemp("store")) as opened:
        yield opened


def steps(store: TestStore, workspace: str, step_ms: int) -> list[dict[str, object]]:
    return store.rows(
        "SELECT toUnixTimestamp64Milli(step_start) AS at, mean, low, high, z, usual, messages"
        " FROM index_steps("
        f"workspace = '{workspace}', stream_ids = ['s1'], from_ms = {START}, to_ms = {START + 59_999},"
        f" step_ms = {step_ms}) WHERE name = 'joy' ORDER BY at"
    )


@pytest.mark.parametrize(("step_ms", "held"), [(10_000, 1), (10_001, 2), (20_000, 2), (60_000, 6)])
def test_steps_hold_the_sums_of_their_windows(store: TestStore, step_ms: int, held: int) -> None:
    workspace = f"w{step_ms}"
    scores = [[0.1 * number, 0.5, 0.9 - 0.1 * number] for number in range(6)]
    replay = {"channel": "replay:someone"}
    store.put(
        "pulse.windows.v1",
        *(window(workspace, START + 10_000 * number, each, **replay) for number, each in enumerate(scores)),
    )
    found = steps(store, workspace, step_ms)
    assert [row["at"] for row in found] == list(range(START, START + 60_000, 10_000 * held))
    for number, row in enumerate(found):
        integers = [
            round(score * 10_000) for each in scores[number * held : number * held + held] for score in each
        ]
        wanted = index_of(
            "joy", sum(integers), sum(value * value for value in integers), len(integers), PRIORS["joy"]
        )
        assert wanted is not None
        assert (row["mean"], row["low"], row["high"], row["z"]) == pytest.approx(
            (wanted.mean, wanted.low, wanted.high, wanted.z), rel=1e-9
        )
        assert row["messages"] == len(integers)
        assert row["usual"] == pytest.approx(PRIORS["joy"].mean)


def test_below_ten_seconds_the_windows_of_a_second_count(store: TestStore) -> None:
    replay = {"channel": "replay:someone"}
    store.put(
        "pulse.windows.v1",
        window("short", START, [0.2, 0.4], **replay),
        window("short", START, [0.2], size_ms=1_000, **replay),
        window("short", START + 1_000, [0.4], size_ms=1_000, **replay),
    )
    assert [row["messages"] for row in steps(store, "short", 1_000)] == [1, 1]
    assert [row["messages"] for row in steps(store, "short", 2_000)] == [2]


def test_what_is_usual_comes_from_all_broadcasts_of_the_channel_and_no_other(store: TestStore) -> None:
    def broadcasts(channel: str, scores: list[float], names: tuple[str, ...]) -> None:
        for number, name in enumerate(names):
            begin = START + 1_000_000 * number
            said = line("usual", f"{name}-1", channel=channel, stream_id=name, expires_at=NEVER_MS)
            store.put("chat.messages.v1", said)
            store.put(
                "pulse.windows.v1",
                *(
                    window("usual", begin + 10_000 * each, scores, channel=channel, stream_id=name)
                    for each in range(20)
                ),
            )

    broadcasts("replay:loud", [0.7, 0.8, 0.9], ("loud/1", "loud/2"))
    broadcasts("replay:calm", [0.1, 0.2, 0.3], ("calm/1", "calm/2"))
    (norm,) = store.rows(
        "SELECT mean FROM channel_norms"
        " WHERE workspace = 'usual' AND channel = 'replay:loud' AND name = 'joy'"
    )
    (step,) = store.rows(
        "SELECT DISTINCT usual FROM index_steps(workspace = 'usual', stream_ids = ['loud/1'],"
        f" from_ms = {START}, to_ms = {START + 199_999}, step_ms = 10000) WHERE name = 'joy'"
    )
    assert step["usual"] == pytest.approx(norm["mean"]) == pytest.approx(0.8)
