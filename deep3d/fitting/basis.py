"""The part of a face model that moves a few landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deep3d.face_model import FaceModel

LARGEST_DEVIATION = 4.0  # standard deviations
NAMED_EXPRESSIONS = 53
BEYOND = 0.3  # of full weight
JAW_OPEN = "jawOpen"


@dataclass(frozen=True)
class LandmarkBasis:
    """Where N landmarks of a face model are, by K shape coefficients: identity, then expression."""

    mean: np.ndarray  # (N, 3) decimetres
    directions: np.ndarray  # (N, 3, K)
    identities: int  # the first so many of the K
    limits: np.ndarray  # (2, K) the least and the most that a coefficient can be

    @classmethod
    def of_vertices(cls, model: FaceModel, vertices: Sequence[int]) -> LandmarkBasis:
        """Landmarks that are vertices of the model."""
        rows = np.asarray(vertices)
        flat = np.concatenate([model.identity_basis, model.expression_basis])
        directions = flat.reshape(len(flat), -1, 3)[:, rows].transpose(1, 2, 0)
        return cls(model.mean_shape[rows], np.ascontiguousarray(directions), len(model.identity_basis), _limits(model))

    @classmethod
    def of_landmarks68(cls, model: FaceModel) -> LandmarkBasis:
        """The model's own 68 landmarks."""
        flat = np.concatenate([model.mean_shape.reshape(1, -1), model.identity_basis, model.expression_basis])
        points = model.landmarks(flat.reshape(len(flat), -1, 3))
        directions = np.ascontiguousarray(points[1:].transpose(1, 2, 0))
        return cls(points[0], directions, len(model.identity_basis), _limits(model))


def _limits(model: FaceModel) -> np.ndarray:
    """Named expressions are weights from 0 to 1, give or take a little, with correctives of either sign behind them.

    Real faces move a little beyond what the shapes were made for, and a hard limit would spoil the rest of the fit.
    """
    count = len(model.identity_basis) + len(model.expression_basis)
    limits = np.full((2, count), [[-LARGEST_DEVIATION], [LARGEST_DEVIATION]])
    if JAW_OPEN in model.expression_names:
        expressions = limits[:, len(model.identity_basis) :]
        expressions[:] = [[-1.0], [1.0]]
        expressions[:, :NAMED_EXPRESSIONS] = [[-BEYOND], [1 + BEYOND]]
    return limits
