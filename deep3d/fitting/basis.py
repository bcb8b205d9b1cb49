"""The part of a face model that moves a few landmarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    directions: np.ndarray  # (N, 3, K) float32
    identities: int  # the first so many of the K
    limits: np.ndarray  # (2, K) the least and the most that a coefficient can be

    @classmethod
    def of_vertices(cls, model: FaceModel, vertices: Sequence[int], still: Sequence[int] = ()) -> LandmarkBasis:
        """Landmarks that are vertices of the model; of these no expression moves the `still` ones, by their numbers."""
        rows = np.asarray(vertices, np.int64)
        basis = cls.of_points(model, lambda all_vertices: all_vertices[:, rows])
        basis.directions[list(still), :, basis.identities :] = 0
        return basis

    @classmethod
    def of_points(cls, model: FaceModel, points: Callable[[np.ndarray], np.ndarray]) -> LandmarkBasis:
        """The landmarks that `points` takes from (B, V, 3) vertices, linearly."""
        bases = [points(basis.reshape(len(basis), -1, 3)) for basis in (model.identity_basis, model.expression_basis)]
        directions = np.concatenate(bases).transpose(1, 2, 0).astype(np.float32, order="C")
        return cls(points(model.mean_shape[None])[0], directions, len(model.identity_components), _limits(model))


def _limits(model: FaceModel) -> np.ndarray:
    """Named expressions are weights from 0 to 1, give or take a little, with correctives of either sign behind them.

    Real faces move a little beyond what the shapes were made for, and a hard limit would spoil the rest of the fit.
    """
    identities = len(model.identity_components)
    count = identities + len(model.expression_components)
    limits = np.full((2, count), [[-LARGEST_DEVIATION], [LARGEST_DEVIATION]])
    if JAW_OPEN in model.expression_names:
        expressions = limits[:, identities:]
        expressions[:] = [[-1.0], [1.0]]
        expressions[:, :NAMED_EXPRESSIONS] = [[-BEYOND], [1 + BEYOND]]
    return limits
