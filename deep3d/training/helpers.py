"""Helper processes of a training run: they render heads, crop photos and fit faces, each on one core."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from typing import TypeVar

from threadpoolctl import threadpool_limits

from deep3d.training.stopping import ignore_interrupt

T = TypeVar("T")


def helping_processes(count: int) -> ProcessPoolExecutor:
    """So many processes, which start with the first job and end with the pool."""
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _settle)


def ahead(items: Iterator[T], count: int) -> Iterator[T]:
    """The same items, with `count` requested ahead, for example as jobs of processes."""
    waiting = deque(islice(items, count))
    while waiting:
        yield waiting.popleft()
        waiting.extend(islice(items, 1))


def _settle() -> None:
    ignore_interrupt()
    threadpool_limits(1)
