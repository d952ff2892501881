from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.youtube.quota import Quota


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOON = at("2026-01-01T20:00:00")


def test_it_says_no_before_the_limit_and_takes_nothing_then() -> None:
    quota = Quota(12)
    assert [quota.spend(5, NOON) for _ in range(3)] == [True, True, False]
    assert quota.spend(2, NOON)
    assert quota.spent == 12


@pytest.mark.parametrize(
    ("now", "more"),
    [
        ("2026-01-01T07:59:59", "2026-01-01T08:00:00"),
        ("2026-01-01T08:00:00", "2026-01-02T08:00:00"),
        ("2026-03-08T09:00:00", "2026-03-09T07:00:00"),  # the clocks go forward that night
        ("2026-07-01T12:00:00", "2026-07-02T07:00:00"),
    ],
)
def test_the_day_begins_at_midnight_pacific_time(now: str, more: str) -> None:
    quota = Quota(5)
    assert quota.spend(5, at(now))
    assert quota.more_at_ms(at(now)) == at(more)
    assert not quota.spend(1, at(more) - 1)
    assert quota.spend(5, at(more))


def test_it_remembers_over_restarts_and_beside_others(tmp_path: Path) -> None:
    path = tmp_path / "made" / "quota.json"
    first, second = Quota(10, path), Quota(10, path)
    assert first.spend(5, NOON)
    assert second.spend(5, NOON)
    assert not first.spend(1, NOON)
    assert not Quota(10, path).spend(1, NOON)
    assert Quota(10, path).spend(1, NOON + 86_400_000)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"day": 5, "spent": 1}', '{"day": "2026-01-01"}'])
def test_a_broken_file_counts_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "quota.json"
    path.write_text(content)
    assert Quota(5, path).spend(5, NOON)


def test_google_knows_better() -> None:
    quota = Quota(10_000)
    quota.exhaust(NOON)
    assert not quota.spend(1, NOON)
