"""The network's predictions for faces, as batches with row selection and concatenation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deep3d.coefficients import FaceCoefficients

LOG_DEVIATION = (-1.5, 4.0)
"""The smallest and the largest logarithm of a deviation in training: 0.2 and 55 crop pixels."""

Rows = Sequence[int] | np.ndarray
"""Numbers of faces in a batch, or (B,) bool of those wanted."""


@dataclass(frozen=True)
class DenseLandmarks:
    """N predicted points of B faces: the vertices `Checkpoint.dense_vertices` of the face model."""

    points: np.ndarray  # (B, N, 2) crop pixels
    deviation: np.ndarray  # (B, N) predicted standard deviation, crop pixels

    def take(self, rows: Rows) -> DenseLandmarks:
        """The landmarks of some faces."""
        return DenseLandmarks(self.points[rows], self.deviation[rows])

    @staticmethod
    def concatenate(parts: Sequence[DenseLandmarks]) -> DenseLandmarks:
        """The faces of one or more batches, one after another."""
        return DenseLandmarks(
            np.concatenate([part.points for part in parts]), np.concatenate([part.deviation for part in parts])
        )


@dataclass(frozen=True)
class Regression:
    """The network's predictions for B faces."""

    coefficients: FaceCoefficients
    dense: DenseLandmarks | None  # None if the checkpoint has none
    refined: bool = False  # whether they come from the refiner

    def __len__(self) -> int:
        return len(self.coefficients)

    def take(self, rows: Rows) -> Regression:
        """The predictions for some faces."""
        dense = None if self.dense is None else self.dense.take(rows)
        return Regression(FaceCoefficients.from_vector(self.coefficients.to_vector()[rows]), dense, self.refined)

    @staticmethod
    def concatenate(parts: Sequence[Regression]) -> Regression:
        """The faces of one or more batches, one after another; empty batches add nothing and need no landmarks."""
        parts = [part for part in parts if len(part)] or [*parts[:1]]
        vectors = np.concatenate([part.coefficients.to_vector() for part in parts])
        dense = [part.dense for part in parts if part.dense is not None]
        return Regression(
            FaceCoefficients.from_vector(vectors),
            DenseLandmarks.concatenate(dense) if len(dense) == len(parts) else None,
            all(part.refined for part in parts),
        )

    def replaced(self, rows: Sequence[int], other: Regression) -> Regression:
        """The predictions with those of another batch for the faces numbered `rows`, in its order."""
        order = np.arange(len(self))
        order[list(rows)] = np.arange(len(self), len(self) + len(other))
        return Regression.concatenate([self, other]).take(order)
