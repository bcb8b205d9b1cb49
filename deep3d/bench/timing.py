"""Time several implementations in turns, so that other load on the machine affects all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

WARM_UP = 2
"""Warm-up rounds: they compile, fill caches, and let TorchScript specialise on its inputs."""
_PAUSE = 0.02  # seconds, after which torch's idle threads have stopped spinning


def race(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each contestant in each round.

    Each runs twice per turn and the second run counts. The first one refills the processor's caches, which would
    otherwise add half of the run's own time.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(WARM_UP + rounds):
        for name, action in contestants.items():
            time.sleep(_PAUSE)
            action()
            seconds[name].append(once(action))
    return {name: times[WARM_UP:] for name, times in seconds.items()}


def counted(calls: Sequence[T], rounds: int) -> Sequence[T]:
    """The records of the runs that counted, from the records of all calls."""
    return calls[1::2][-rounds:]


def once(action: Callable[[], object]) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
