"""Ranges for eight-bit quantisation with equal steps (Jacob et al., 2018)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LEVELS = 255
_CLIPPING = np.geomspace(0.01, 1, 60)  # of the largest values, tried for the least error


class Range(NamedTuple):
    """From `low`, at most 0, to `high`, more than 0."""

    low: float
    high: float

    @property
    def step(self) -> np.float32:
        """Between two levels."""
        return np.float32((self.high - self.low) / LEVELS)

    @property
    def zero(self) -> np.uint8:
        """The level of 0, which is exact, because convolutions pad with it."""
        return np.uint8(np.rint(-self.low / self.step))

    @property
    def is_sound(self) -> bool:
        """Whether the ends are finite, 0 lies between them, and the step is positive."""
        return bool(np.isfinite([self.low, self.high]).all() and self.low <= 0 < self.high and self.step > 0)


def best_range(values: np.ndarray) -> Range:
    """The range with the least error for values (N, M) of N inputs, relative to each input's size.

    Values beyond it are clipped, which costs less than a coarser step for all others. Inputs have equal weight;
    otherwise one in a hundred with values a hundred times larger would determine the range.
    """
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 1e-6)
    size = np.square(values).mean(axis=1) + 1e-12
    tried = [Range(low * part, high * part) for part in _CLIPPING]
    return min(tried, key=lambda each: (np.square(_rounded(values, each) - values).mean(axis=1) / size).sum())


def _rounded(values: np.ndarray, kept: Range) -> np.ndarray:
    levels = np.clip(np.rint(values / kept.step) + kept.zero, 0, LEVELS)
    return (levels - kept.zero) * kept.step
