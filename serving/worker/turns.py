"""Turns at something of which there are few: whoever is due first gets the next one."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count


class Turns:
    """So many may be at it at a time; for any number of threads."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: list[tuple[float, int]] = []  # a heap: when each is due, and the order in which they came
        self._numbers = count()
        self._changed = threading.Condition()

    @contextmanager
    def take(self, due: float) -> Iterator[None]:
        """Have a turn for the block, before all who are due later."""
        with self._changed:
            mine = due, next(self._numbers)
            heapq.heappush(self._waiting, mine)
            self._changed.wait_for(lambda: self._free and self._waiting[0] == mine)
            heapq.heappop(self._waiting)
            self._free -= 1
            self._changed.notify_all()  # there may be a turn for the next, too
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()
