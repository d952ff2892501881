"""Waiting until everything that was sent has come through, or saying what has not."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

STALL_S: Final = 120.0
"""No figure moving for this long means stuck: longer than a restart of any part takes."""
SETTLE: Final = 16
"""Readings in a row that must be drained and alike: the last alerts and activity may still be on their way
when every line is through, and how many there will be is not known beforehand. At 0.5 s each they outlast
operator `wave`, which sits 3 s on the end of a replay."""


@dataclass(frozen=True)
class Flow:
    """How far one run has come, as counted at its end, the store."""

    scored: int = 0
    """Lines in the store with scores."""
    counted: int = 0
    """Of these the ones that windows hold."""
    dead_letters: int = 0
    in_windows_1s: int = 0
    in_windows_10s: int = 0
    in_activity: int = 0
    """Need not reach `scored`: `detect` leaves out lines behind its clock."""
    alerts: int = 0
    open_alerts: int = 0
    lag: Mapping[str, int] = field(default_factory=dict)
    """Records that a consumer group has not committed yet, by group."""

    def missing(self, lines: int) -> list[str]:
        """What is still on its way of an input of so many lines, in words; empty when drained."""
        figures = (
            ("lines scored, or refused as dead letters", self.scored + self.dead_letters, lines),
            ("lines in 1 s windows", self.in_windows_1s, self.counted),
            ("lines in 10 s windows", self.in_windows_10s, self.counted),
        )
        behind = [f"{have:,} of {want:,} {what}" for what, have, want in figures if have < want]
        if self.open_alerts:
            behind.append(f"{self.open_alerts} alert episodes still open")
        behind += [f"{group} is {lag:,} records behind" for group, lag in self.lag.items() if lag]
        return behind


class StalledError(RuntimeError):
    """Something stopped moving before everything was through; the message says what is missing."""


def wait_until_drained(
    read: Callable[[], Flow],
    lines: int,
    *,
    on_progress: Callable[[Flow], None] = lambda _: None,
    stall_s: float = STALL_S,
    every_s: float = 0.5,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Flow:
    """Poll `read` until nothing of the input's `lines` is missing, and return the last reading.

    `read` may raise OSError (a part that is being restarted): that counts as no progress.

    Raises:
        StalledError: where no figure changed for `stall_s`.
    """
    last: Flow | None = None
    trouble = ""
    moved_at, settled = clock(), 0
    while True:
        try:
            flow, trouble = read(), ""
        except OSError as error:
            flow, trouble = last or Flow(), str(error)
        if flow != last:
            last, moved_at, settled = flow, clock(), 0
            on_progress(flow)
        missing = [trouble] if trouble else flow.missing(lines)
        settled = 0 if missing else settled + 1
        if settled >= SETTLE:
            return flow
        if missing and clock() - moved_at > stall_s:
            raise StalledError(f"nothing moved for {stall_s:.0f} s; missing: {'; '.join(missing)}")
        pause(every_s)
