"""Time several ways to do a thing in turns, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

WARM_UP = 2
"""Rounds that do not count: they compile, fill caches, and let TorchScript look at what it is given."""
_PAUSE = 0.02  # seconds, after which the idle threads of torch no longer wait actively on the cores of the next


def race(
    contestants: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = WARM_UP
) -> dict[str, list[float]]:
    """Seconds of each contestant in each round after those that warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(warm_up + rounds):
        for name, action in contestants.items():
            time.sleep(_PAUSE)
            start = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - start)
    return {name: times[warm_up:] for name, times in seconds.items()}
