"""The motion of a face model's vertices, or of some landmarks, with the unknowns of a fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from deep3d.coefficients import EXPRESSION
from deep3d.face_model import FaceModel
from deep3d.fitting.displacement import free_displacements

LARGEST_DEVIATION = 4.0  # standard deviations
NAMED_EXPRESSIONS = 53
EXPRESSIONS = EXPRESSION.stop - EXPRESSION.start
BEYOND = 0.3  # of full weight
JAW_OPEN = "jawOpen"


@dataclass(frozen=True, eq=False)
class LandmarkBasis:
    """N landmarks of a face model, linear in K shape unknowns: identity, expression, displacement if any."""

    mean: np.ndarray  # (N, 3) decimetres
    directions: np.ndarray  # (N, 3, K) float32
    identities: int  # the first so many of the K
    limits: np.ndarray  # (2, K) the least and the most that an unknown can be

    @property
    def linear(self) -> int:
        """Identities and expressions."""
        return self.identities + EXPRESSIONS

    def widened(self, unknowns: int) -> LandmarkBasis:
        """Padded to so many unknowns; the landmarks do not depend on the last ones."""
        missing = unknowns - self.directions.shape[2]
        if missing <= 0:
            return replace(self, directions=np.ascontiguousarray(self.directions[..., :unknowns]))
        return replace(self, directions=np.pad(self.directions, [(0, 0), (0, 0), (0, missing)]))

    @classmethod
    def of_vertices(cls, model: FaceModel, vertices: Sequence[int], still: Sequence[int] = ()) -> LandmarkBasis:
        """Landmarks that are vertices of the model; expressions do not move the `still` ones (by number)."""
        rows = np.asarray(vertices, np.int64)
        basis = cls.of_points(model, lambda all_vertices: all_vertices[:, rows])
        basis.directions[list(still), :, basis.identities :] = 0
        return basis

    @classmethod
    def of_points(cls, model: FaceModel, points: Callable[[np.ndarray], np.ndarray]) -> LandmarkBasis:
        """The landmarks that the linear function `points` takes from (B, V, 3) vertices."""
        bases = [points(basis.reshape(len(basis), -1, 3)) for basis in (model.identity_basis, model.expression_basis)]
        directions = np.concatenate(bases).transpose(1, 2, 0).astype(np.float32, order="C")
        return cls(points(model.mean_shape[None])[0], directions, len(model.identity_components), _limits(model))


@dataclass(frozen=True, eq=False)
class SurfaceBasis(LandmarkBasis):
    """All V vertices of a face model, linear in K shape unknowns: N is V. The directions are yet to be scaled."""

    model: FaceModel
    scale: np.ndarray  # (K,) float32, factors of the directions

    @classmethod
    def of(cls, model: FaceModel, linear_only: bool = False) -> SurfaceBasis:
        """The basis of a model: identity and expression, then smooth displacements unless the fit stays linear."""
        parts = model.identity_components, model.expression_components
        values = np.concatenate([part.values for part in parts])  # in as few bytes as the model has them
        directions = np.ascontiguousarray(values.reshape(len(values), -1, 3).transpose(1, 2, 0))
        scale, limits = np.concatenate([part.scale for part in parts]), _limits(model)
        if not linear_only:
            free = free_displacements(model)
            count = free.shape[-1]
            directions = np.concatenate([directions * scale, free], axis=2, dtype=np.float32)
            scale = np.ones(len(scale) + count, np.float32)
            limits = np.concatenate([limits, np.full((2, count), [[-LARGEST_DEVIATION], [LARGEST_DEVIATION]])], axis=1)
        return cls(model.mean_shape, directions, len(model.identity_components), limits, model, scale)

    @property
    def displacements(self) -> int:
        """The number of unknowns after the linear model's."""
        return self.directions.shape[2] - self.linear

    def displacement(self, shape: np.ndarray) -> np.ndarray:
        """(V, 3) decimetres that the unknowns (K,) move the vertices beyond the linear model."""
        free = shape[self.linear :].astype(np.float32)
        return self._free @ free if free.any() else np.zeros_like(self.mean)

    @cached_property
    def _free(self) -> np.ndarray:
        return np.ascontiguousarray(self.directions[..., self.linear :])

    def at(self, vertices: Sequence[int]) -> LandmarkBasis:
        """The basis of some vertices."""
        rows = np.asarray(vertices, np.int64)
        return LandmarkBasis(self.mean[rows], self.directions[rows] * self.scale, self.identities, self.limits)


def _limits(model: FaceModel) -> np.ndarray:
    """Named expressions are weights from 0 to 1, with some tolerance; the correctives after them have either sign.

    Real faces move a little beyond the shapes, and a hard limit would distort the rest of the fit.
    """
    identities = len(model.identity_components)
    count = identities + len(model.expression_components)
    limits = np.full((2, count), [[-LARGEST_DEVIATION], [LARGEST_DEVIATION]])
    if JAW_OPEN in model.expression_names:
        expressions = limits[:, identities:]
        expressions[:] = [[-1.0], [1.0]]
        expressions[:, :NAMED_EXPRESSIONS] = [[-BEYOND], [1 + BEYOND]]
    return limits
