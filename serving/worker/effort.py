"""What jobs take of a worker: the faces and seconds that each has had, and what the process is at."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

LATER_A_FACE = 10.0
"""Seconds by which each face of a job is due after the one before it: others have their first ones meanwhile."""


@dataclass
class Account:
    """What one run of a job has had so far."""

    begun: float = field(default_factory=time.monotonic)
    faces: int = 0
    seconds: float = 0.0  # of work; waiting for others does not count

    def due(self, faces: int = 1) -> float:
        """When its turn for so many more faces is: a job comes first that has had less, or waits for longer."""
        return self.begun + LATER_A_FACE * (self.faces + faces - 1)


class Steps:
    """The steps that a process is at; one that takes far too long hangs."""

    def __init__(self) -> None:
        self._begun: dict[object, float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Be at a step for the block."""
        key = object()
        with self._lock:
            self._begun[key] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._begun[key]

    def longest(self) -> float:
        """Seconds since the oldest step that is not over was begun; 0 if there is none."""
        with self._lock:
            now = time.monotonic()
            return now - min(self._begun.values(), default=now)
