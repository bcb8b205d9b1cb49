"""The mirrored face: a second prediction of the same network, without unwrapping again.

A network makes similar errors on either side of a face, but rarely on both sides of the same face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deep3d.coefficients import EXPRESSION, IDENTITY, SHAPE_COUNT
from deep3d.face_model import FaceModel
from deep3d.landmarks import MIRROR

_ROWS = 400  # vertices from which the mirrored bases are estimated, of more than ten thousand


@dataclass(frozen=True, eq=False)
class Mirror:
    """Mirroring of shapes and landmarks, for one face model and N of its vertices."""

    shape: np.ndarray  # (144, 144) float32: (B, 144) identities and expressions times this are those of mirrored faces
    partner: np.ndarray  # (N,) the number of each vertex's mirror partner, -1 if it is not among them

    @classmethod
    def of(cls, model: FaceModel, vertices: Sequence[int]) -> Mirror:
        """The mirror of a model; the first 68 vertices are the landmarks."""
        shape = np.zeros((SHAPE_COUNT, SHAPE_COUNT), np.float32)
        shape[IDENTITY, IDENTITY] = _mirrored(model, model.identity_basis)
        shape[EXPRESSION, EXPRESSION] = _mirrored(model, model.expression_basis)
        number = {vertex: place for place, vertex in enumerate(vertices)}
        partner = np.array([number.get(int(model.mirror[vertex]), -1) for vertex in vertices])
        partner[:68] = MIRROR
        return cls(shape, partner)

    def charts(self, charts: np.ndarray) -> np.ndarray:
        """The charts (B, 9, S, S) of the mirrored faces: columns are reversed, and so is the normals' x."""
        mirrored = charts[..., ::-1].copy()
        mirrored[:, 3] *= -1
        return mirrored

    def mean(self, own: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
        """The mean (B, N, 3) of the network's results for faces and for their mirror images."""
        other = mirrored[:, self.partner] * np.array([-1, 1, 1], np.float32)
        return np.where((self.partner >= 0)[:, None], (own + other) / 2, own)


def _mirrored(model: FaceModel, basis: np.ndarray) -> np.ndarray:
    """(K, K): coefficients (B, K) of a basis times this approximate those of the mirrored shapes."""
    own = np.arange(len(model.mirror))
    paired = model.mirror[model.mirror] == own
    two_sided = np.flatnonzero(paired & ((model.skin > 0.5) | (model.mirror != own)))  # eyeballs separate gaze and lids
    rows = two_sided[:: max(1, len(two_sided) // _ROWS)]
    offsets = basis.reshape(len(basis), -1, 3)
    there = offsets[:, model.mirror[rows]] * np.array([-1, 1, 1], np.float32)
    here = offsets[:, rows].reshape(len(basis), -1)
    return np.linalg.lstsq(here.T, there.reshape(len(basis), -1).T)[0].T
