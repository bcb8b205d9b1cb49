"""Batches of real portraits from other processes: cropping one takes longer than a GPU's step."""

from __future__ import annotations

from functools import cache
from itertools import count
from pathlib import Path

import numpy as np

from deep3d.training.helpers import ahead, helping_processes
from deep3d.training.portraits import Portraits, training_portraits

Batch = tuple[np.ndarray, np.ndarray]


class PortraitStream:
    """Batches of the training portraits of a folder, determined by the seed.

    Use as a context manager: the processes end with it.

    Raises: DatasetError if the folder or anything in it is missing.
    """

    def __init__(self, folder: Path, seed: int, size: int, crop_size: int, workers: int) -> None:
        training_portraits(folder)  # missing files raise before any process starts
        self._pool = pool = helping_processes(workers)
        jobs = (pool.submit(_batch, folder, (seed, number), size, crop_size) for number in count())
        self._batches = (job.result() for job in ahead(jobs, 3 * workers))

    def __enter__(self) -> PortraitStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def batch(self) -> Batch:
        """Crops (size, S, S, 3) uint8 and their landmarks (size, 68, 2) in pixels of the 224 crop.

        Raises: PhotoError if a photo cannot be read.
        """
        return next(self._batches)


def _batch(folder: Path, seed: tuple[int, int], size: int, crop_size: int) -> Batch:
    return _portraits(folder).batch(np.random.default_rng(seed), size, crop_size)


@cache
def _portraits(folder: Path) -> Portraits:
    """The portraits of a process, read once."""
    return Portraits(folder)
