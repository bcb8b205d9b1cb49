"""The part of a face model that moves some of its vertices: less to compute where the others are not needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.coefficients import FaceCoefficients
from deep3d.face_model.model import FaceModel


@dataclass(frozen=True, eq=False)
class ModelPart:
    """P vertices of a face model."""

    vertices: np.ndarray  # (P,) their numbers in the model, rising
    mean: np.ndarray  # (P, 3) decimetres
    directions: np.ndarray  # (144, 3 P) float32, of identity and expression

    @classmethod
    def of(cls, model: FaceModel, vertices: np.ndarray) -> ModelPart:
        """That of some vertices, in any order and shape."""
        taken = np.unique(vertices)
        bases = [basis.reshape(len(basis), -1, 3)[:, taken] for basis in (model.identity_basis, model.expression_basis)]
        directions = np.concatenate(bases)
        return cls(taken, model.mean_shape[taken], directions.reshape(len(directions), -1))

    def rows(self, vertices: np.ndarray) -> np.ndarray:
        """Which of these the vertices are, in the same shape; they must be among them."""
        return np.searchsorted(self.vertices, vertices).astype(np.int32)

    def shape(self, coefficients: FaceCoefficients) -> np.ndarray:
        """(B, P, 3): these vertices of `FaceModel.shape`."""
        offsets = np.concatenate([coefficients.identity, coefficients.expression], axis=1) @ self.directions
        return self.mean + offsets.reshape(-1, *self.mean.shape)
