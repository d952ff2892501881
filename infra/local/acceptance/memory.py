"""Peak memory of each part of the stack while something runs."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

Measure = Callable[[], Mapping[str, float]]
"""Memory of each part now, in MB (2**20 bytes), summed so that it may be added up (PSS)."""


class MemorySampler:
    """Samples on a thread of its own; a context manager.

    The kernel walks all pages of a process for its PSS (some 90 ms of CPU for the whole stack), so the
    samples are far apart.
    """

    def __init__(self, measure: Measure, *, every_s: float = 5.0) -> None:
        self._measure = measure
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory-sampler", daemon=True)
        self._peaks: dict[str, float] = {}
        self._peak_sum = 0.0
        self._samples = 0

    def __enter__(self) -> "MemorySampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def sample(self) -> None:
        """Take one sample now."""
        now = self._measure()
        for part, size in now.items():
            self._peaks[part] = max(size, self._peaks.get(part, 0.0))
        self._peak_sum = max(self._peak_sum, sum(now.values()))
        self._samples += 1

    def report(self) -> dict[str, Any]:
        """Peaks so far in MB: of each part, and `sum`, the largest sum at one moment."""
        return {
            "parts": {part: round(size, 1) for part, size in sorted(self._peaks.items())},
            "sum": round(self._peak_sum, 1),
            "samples": self._samples,
        }

    def _run(self) -> None:
        self.sample()
        while not self._stop.wait(self._every_s):
            self.sample()
