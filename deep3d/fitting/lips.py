"""Touching lips and covered mouths: adjusted landmarks for a fit.

The noise of the refiner's landmarks exceeds the gap between closed lips, and a covered mouth has no landmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deep3d.coefficients import FaceCoefficients
from deep3d.confidence import COVERED
from deep3d.landmarks import INNER, LIPS

OPPOSITE = ((61, 67), (62, 66), (63, 65))  # landmarks of the inner upper lip and those under them
TOUCHING = 0.045
"""Largest mean gap between facing landmarks of touching lips, in widths of the mouth. All of 23 portraits with closed
mouths have less, and none of 86 with open ones (even numbers)."""
CONTACT = 0.1  # pixels, deviation of landmarks where lips touch
UNKNOWN = 30.0  # times the deviation: landmarks of a covered mouth
OF_MOUTHS = ("mouth", "jaw", "cheekPuff", "smileDepth")
"""Prefixes of the expressions that move lips."""


def read_mouths(
    points: np.ndarray, deviation: np.ndarray, start: FaceCoefficients, expression_names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, FaceCoefficients]:
    """Landmarks (B, N, 2), deviations (B, N) and the start of a fit, with touching and covered mouths closed.

    The first 68 landmarks are `landmarks68`. A covered mouth is assumed to be shut and at rest.
    """
    points, deviation = points.copy(), deviation.copy()
    covered = deviation[:, LIPS].mean(axis=1) > COVERED * deviation[:, INNER].mean(axis=1)
    width = np.linalg.norm(points[:, 48] - points[:, 54], axis=1)
    gap = np.mean([np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in OPPOSITE], axis=0)
    shut = covered | (gap < TOUCHING * width)
    deviation[covered, LIPS] *= UNKNOWN
    for pair in OPPOSITE:
        points[np.ix_(shut, pair)] = points[np.ix_(shut, pair)].mean(axis=1, keepdims=True)
        deviation[np.ix_(shut, pair)] = CONTACT
    at_rest = [number for number, name in enumerate(expression_names) if name.startswith(OF_MOUTHS)]
    expression = start.expression.copy()
    expression[np.ix_(covered, at_rest)] = 0
    return points, deviation, replace(start, expression=expression)
