"""The Data API's daily quota: what was spent, and when there is more.

Costs: developers.google.com/youtube/v3/determine_quota_cost and the pages of each method. A project has
10,000 units a day; the day begins at midnight Pacific time.
"""

import contextlib
import json
import tempfile
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

UNITS: Final = {
    "videos": 1, "channels": 1, "playlistItems": 1, "search": 100, "liveChat/messages": 5,
}  # fmt: skip
"""What a call costs; a failed one costs as much."""
_PACIFIC: Final = ZoneInfo("America/Los_Angeles")


class Quota:
    """Counts units and says no before the day's limit.

    The file is shared: what other processes of this machine spend of it counts as well. Of programs elsewhere
    that spend the same project's units nothing is seen: `exhaust` is for when Google says that they are gone.
    """

    def __init__(self, daily_units: int, path: Path | None = None) -> None:
        """Prepare; without a file nothing is remembered over restarts."""
        self.daily_units: Final = daily_units
        self.spent = 0
        self._path = path
        self._day: date | None = None

    def spend(self, units: int, now_ms: int) -> bool:
        """Take units of the day; False where they would go over its limit, and then nothing is taken.

        Raises:
            OSError: the file cannot be read or written.
        """
        self._read(now_ms)
        if self.spent + units > self.daily_units:
            return False
        self._write(self.spent + units)
        return True

    def exhaust(self, now_ms: int) -> None:
        """Google says that the day's units are used up; errors as `spend`."""
        self._read(now_ms)
        self._write(max(self.spent, self.daily_units))

    def more_at_ms(self, now_ms: int) -> int:
        """When the next day begins."""
        tomorrow = _day_of(now_ms) + timedelta(days=1)
        return round(datetime.combine(tomorrow, time(), _PACIFIC).timestamp() * 1000)

    def _read(self, now_ms: int) -> None:
        if self._path and self._path.exists():
            with contextlib.suppress(ValueError, KeyError, TypeError):  # a broken file counts as none
                noted = json.loads(self._path.read_text())
                self._day, self.spent = date.fromisoformat(noted["day"]), int(noted["spent"])
        today = _day_of(now_ms)
        if today != self._day:
            self._day, self.spent = today, 0

    def _write(self, spent: int) -> None:
        self.spent = spent
        if self._path and self._day:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self._path.parent, delete=False) as draft:
                json.dump({"day": self._day.isoformat(), "spent": spent}, draft)
            Path(draft.name).replace(self._path)


def _day_of(now_ms: int) -> date:
    return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(_PACIFIC).date()
