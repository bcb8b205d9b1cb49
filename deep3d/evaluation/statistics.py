"""What is told of a list of errors: how many faces were found, mean, median and 90th percentile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
