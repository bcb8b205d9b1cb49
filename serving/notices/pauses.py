"""Hosts of webhooks that do not answer are left alone for a while, the longer the more often."""

from __future__ import annotations

import threading
import time

SHORTEST, LONGEST = 5.0, 600.0  # seconds
MOST_HOSTS = 10_000  # that are remembered


class HostPauses:
    """What one worker process remembers of hosts that failed; for any number of threads."""

    def __init__(self) -> None:
        self._failed: dict[str, tuple[int, float]] = {}  # how often in a row, and until when it is paused
        self._lock = threading.Lock()

    def left(self, host: str) -> float:
        """Seconds for which a host is to be left alone; 0 if it may be called."""
        with self._lock:
            _, until = self._failed.get(host, (0, 0.0))
        return max(0.0, until - time.monotonic())

    def failed(self, host: str) -> None:
        """A call failed: leave the host alone for twice as long as the last time."""
        with self._lock:
            times, _ = self._failed.pop(host, (0, 0.0))
            if len(self._failed) >= MOST_HOSTS:
                del self._failed[next(iter(self._failed))]  # the one that failed longest ago
            self._failed[host] = times + 1, time.monotonic() + min(SHORTEST * 2**times, LONGEST)

    def worked(self, host: str) -> None:
        """A call was taken."""
        with self._lock:
            self._failed.pop(host, None)
