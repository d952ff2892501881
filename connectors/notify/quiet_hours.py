"""When people want to be left alone: spans of local wall time, safe over changes of daylight saving."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.records import Severity

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class QuietHours(BaseModel):
    """From one wall time to another, on the days on which it begins.

    `to` at or before `from` means the next day; equal times mean 24 hours. A wall time that a change of
    daylight saving skips counts as the moment of the change; of one that comes twice, the first counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    timezone: str = Field(description="IANA name, e.g. Europe/Moscow.")
    begin: time = Field(alias="from", description="Local time at which it begins, e.g. '23:00'.")
    end: time = Field(alias="to", description="Local time at which it ends, e.g. '08:00'.")
    days: tuple[Day, ...] = Field(default=DAYS, min_length=1, description="Days on which it begins.")
    unless: Severity = Field(default="critical", description="From this severity on, people are told anyway.")
    then: Literal["hold", "drop"] = Field(
        default="hold", description="Tell when it ends (hold), or never (drop)."
    )

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"no time zone `{name}`; use an IANA name such as Europe/Moscow") from None
        return name

    @field_validator("begin", "end")
    @classmethod
    def _is_wall_time(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("a local time without an offset; `timezone` says where")
        return value

    @model_validator(mode="after")
    def _ends_some_time(self) -> Self:
        if self.begin == self.end and set(self.days) == set(DAYS):
            raise ValueError("quiet at all times; remove the rule instead")
        return self

    def ends_at(self, now_ms: int) -> int | None:
        """The moment (ms) at which people may be told again; None where it is not quiet now."""
        ends = None
        while (end := self._span_end(now_ms if ends is None else ends)) is not None:
            ends = end
        return ends

    def _span_end(self, at_ms: int) -> int | None:
        zone = ZoneInfo(self.timezone)
        today = datetime.fromtimestamp(at_ms / 1000, zone).date()
        # a span of 24 h that began two days ago can reach into today where a day has 25 hours
        for ago in (2, 1, 0):
            first = today - timedelta(days=ago)
            if DAYS[first.weekday()] not in self.days:
                continue
            last = first if self.end > self.begin else first + timedelta(days=1)
            if _instant(first, self.begin, zone) <= at_ms < (end := _instant(last, self.end, zone)):
                return end
        return None


def _instant(day: date, wall: time, zone: ZoneInfo) -> int:
    moment = datetime.combine(day, wall, zone).astimezone(UTC)
    return round(moment.timestamp() * 1000)
