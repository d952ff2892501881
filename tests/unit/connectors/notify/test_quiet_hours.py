from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.notify.quiet_hours import DAYS, QuietHours

ZONES = ("UTC", "Europe/Moscow", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


def quiet(**changes: object) -> QuietHours:
    base = {"timezone": "Europe/Moscow", "from": "23:00", "to": "08:00"}
    return QuietHours.model_validate(base | changes)


def at(zone: str, *parts: int, fold: int = 0) -> int:
    return round(datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("hour", "minute", "is_quiet"),
    [(22, 59, False), (23, 0, True), (3, 0, True), (7, 59, True), (8, 0, False), (12, 0, False)],
)
def test_a_night_lies_over_midnight(hour: int, minute: int, is_quiet: bool) -> None:
    ends = quiet().ends_at(at("Europe/Moscow", 2026, 3, 10, hour, minute))
    assert (ends is not None) == is_quiet
    if ends is not None:
        assert datetime.fromtimestamp(ends / 1000, ZoneInfo("Europe/Moscow")).hour == 8


def test_days_are_those_on_which_it_begins() -> None:
    fridays = quiet(days=["fri"])
    assert fridays.ends_at(at("Europe/Moscow", 2026, 3, 14, 3, 0)) is not None  # Saturday, 3 in the morning
    assert fridays.ends_at(at("Europe/Moscow", 2026, 3, 13, 3, 0)) is None  # Friday, 3 in the morning


def test_equal_times_are_a_whole_day_and_neighbours_join() -> None:
    weekend = quiet(**{"from": "00:00", "to": "00:00"}, days=["sat", "sun"])
    ends = weekend.ends_at(at("Europe/Moscow", 2026, 3, 14, 12, 0))
    assert ends == at("Europe/Moscow", 2026, 3, 16, 0, 0)


def test_a_night_in_which_the_clock_changes_ends_by_the_wall_clock() -> None:
    berlin = quiet(timezone="Europe/Berlin")
    evening = at("Europe/Berlin", 2026, 3, 28, 23, 30)
    ends = berlin.ends_at(evening)
    assert ends == at("Europe/Berlin", 2026, 3, 29, 8, 0)
    assert ends - evening == 7.5 * 3_600_000  # an hour less than on other nights


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"timezone": "Mars/Olympus"}, "time zone"),
        ({"timezone": "../etc/passwd"}, "time zone"),
        ({"from": "08:00", "to": "08:00"}, "all times"),
        ({"from": "25:00"}, "from"),
        ({"from": "23:00+03:00"}, "without an offset"),
        ({"days": []}, "days"),
        ({"days": ["monday"]}, "days"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, object], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        quiet(**changes)


@settings(deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    begin=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    end=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    days=st.sets(st.sampled_from(DAYS), min_size=1, max_size=6),
    now=st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)).map(lambda d: d.replace(tzinfo=UTC)),
    part=st.floats(0, 0.999),
)
def test_it_is_quiet_until_the_end_and_not_at_the_end(
    zone: str, begin: object, end: object, days: set[str], now: datetime, part: float
) -> None:
    hours = quiet(timezone=zone, **{"from": begin, "to": end}, days=sorted(days))
    now_ms = round(now.timestamp() * 1000)
    ends = hours.ends_at(now_ms)
    if ends is None:
        return
    assert ends > now_ms
    assert hours.ends_at(ends) is None
    assert hours.ends_at(int(now_ms + (ends - now_ms) * part)) == ends
    assert ends - now_ms <= 7 * 25 * 3_600_000
