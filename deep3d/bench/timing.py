"""Time several ways to do a thing in turns, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

WARM_UP = 2
"""Rounds that do not count: they compile, fill caches, and let TorchScript look at what it is given."""
_PAUSE = 0.02  # seconds, after which the idle threads of torch no longer wait actively on the cores of the next


def race(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each contestant in each round.

    It runs twice in each turn and the second run counts: the first brings back into the processor's caches what the
    others have pushed out, which would else cost half as much again as the run itself.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(WARM_UP + rounds):
        for name, action in contestants.items():
            time.sleep(_PAUSE)
            action()
            seconds[name].append(once(action))
    return {name: times[WARM_UP:] for name, times in seconds.items()}


def counted(calls: Sequence[T], rounds: int) -> Sequence[T]:
    """Of what a contestant noted in each of its calls, that of the runs that counted."""
    return calls[1::2][-rounds:]


def once(action: Callable[[], object]) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
