"""A ring buffer of synthetic heads: its size, when new ones are due, and the sampling of batches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deep3d.coefficients import COEFFICIENT_COUNT
from deep3d.training.config import Stage, TrainingConfig

FIRST_FILL = 1024  # heads to wait for before the first batch, if the stage needs as many


@dataclass(frozen=True)
class Ring:
    """A ring of `capacity` heads in which new ones are written over the oldest, `chunk` at a time.

    After the first fill, there is one new head for every `reuse` sampled ones. So a head is used `reuse` times on
    average; the first ones, sampled while there are few others, more often than the last.
    """

    chunk: int
    first_fill: int
    capacity: int
    unsafe: int  # of the oldest, which may be overwritten meanwhile
    reuse: float

    @classmethod
    def of(cls, config: TrainingConfig, stage: Stage, dense_landmarks: int, chunk: int, unsafe: int) -> Ring:
        """One as large as the memory allows and the stage needs; `unsafe` and all sizes are whole chunks."""
        draws = stage.steps * stage.batch_size
        first_fill = _whole(min(draws, max(FIRST_FILL, stage.batch_size)), chunk)
        memory = config.buffer_mib * 2**20
        room = min(draws / config.reuse, memory / head_bytes(stage.crop_size, dense_landmarks) - first_fill - unsafe)
        return cls(chunk, first_fill, first_fill + unsafe + _whole(max(room, 0), chunk), unsafe, config.reuse)

    def wanted(self, used: float) -> float:
        """The number of heads to render by the time that so many were sampled."""
        return max(self.first_fill, used / self.reuse)

    def rows(self, rng: np.random.Generator, made: int, count: int) -> np.ndarray:
        """Positions in the ring of `count` heads, sampled evenly from those of the `made` ones that are still in it."""
        age = rng.integers(1, min(made, self.capacity - self.unsafe), count, endpoint=True)
        return (made - age) % self.capacity


def head_bytes(crop_size: int, dense_landmarks: int) -> int:
    """Size of one head."""
    return crop_size**2 * 3 + COEFFICIENT_COUNT * 4 + dense_landmarks * 8


def _whole(heads: float, chunk: int) -> int:
    return math.ceil(heads / chunk) * chunk
