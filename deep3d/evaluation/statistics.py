"""Statistics of errors: faces found, mean, median and 90th percentile, and the ratio of groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_RESAMPLES = 2000


@dataclass(frozen=True)
class Summary:
    """Statistics over the photos in which a face was found; NaN where there is none."""

    count: int  # photos
    found: int  # of them with a face
    mean: float
    median: float
    p90: float  # 90th percentile


def summarize(errors: np.ndarray) -> Summary:
    """Summary of (N,) errors, NaN where no face was found."""
    found = errors[~np.isnan(errors)]
    if len(found) == 0:
        return Summary(len(errors), 0, np.nan, np.nan, np.nan)
    p90 = float(np.quantile(found, 0.9))
    return Summary(len(errors), len(found), float(found.mean()), float(np.median(found)), p90)


@dataclass(frozen=True)
class Ratio:
    """The largest mean of groups over the smallest, with its 95% interval."""

    worst: str  # the groups' names
    best: str
    value: float
    low: float
    high: float


def worst_over_best(groups: Mapping[str, np.ndarray]) -> Ratio | None:
    """The ratio of the groups' largest and smallest mean error; None for fewer than two groups.

    The interval has the percentiles of the bootstrap of both groups (Efron, 1979). Only groups with at least two errors
    count; NaN is left out.
    """
    found = {name: errors[~np.isnan(errors)] for name, errors in groups.items()}
    means = {name: errors.mean() for name, errors in found.items() if len(errors) > 1}
    if len(means) < 2:
        return None
    worst, best = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    generator = np.random.default_rng(0)
    worst_again, best_again = (
        generator.choice(found[name], (_RESAMPLES, len(found[name]))).mean(axis=1) for name in (worst, best)
    )
    if best_again.min() <= 0:  # also where the best group has no error at all
        return None
    low, high = np.quantile(worst_again / best_again, [0.025, 0.975])
    return Ratio(worst, best, float(means[worst] / means[best]), float(low), float(high))
