"""Times the steps of a batch."""

from __future__ import annotations

import time


class Stopwatch:
    """Times the steps of a batch, a photo's or face's share each."""

    def __init__(self) -> None:
        self.laps_ms: dict[str, float] = {}
        self._start = time.perf_counter()

    def split(self) -> Stopwatch:
        """Another watch, that goes on from here by itself."""
        other = Stopwatch()
        other.laps_ms = dict(self.laps_ms)
        return other

    def lap(self, step: str, count: int) -> None:
        """End a step that worked on so many photos or faces; repeated steps add up."""
        now = time.perf_counter()
        self.laps_ms[step] = self.laps_ms.get(step, 0.0) + 1000 * (now - self._start) / max(count, 1)
        self._start = now
