"""Paint the parts of a head into the texture of its face model, in the colours of the vertices that carry them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

from deep3d.face_model import FaceModel
from deep3d.texture.atlas import WHOLE, Atlas, cover
from deep3d.whole_head.parts import Parts

MARGIN = 4.0  # texels round the parts that take their colours, since filters look there


@dataclass(frozen=True, eq=False)
class Canvas:
    """Where the parts lie in a texture of S x S texels."""

    parts: Parts
    size: int  # S
    texels: np.ndarray  # (N,) flat indices of the parts' texels
    corners: np.ndarray  # (N, 3) vertices of the whole head between which each lies
    weights: np.ndarray  # (N, 3) float32
    places: np.ndarray  # (V,) flat index of a texel at each vertex of the model

    @classmethod
    def of(cls, face_model: FaceModel, parts: Parts, size: int) -> Canvas:
        """The canvas of a texture of a size, cached with the model."""
        return face_model.derived(_build, parts, size)

    def painted(self, texture: np.ndarray, lit: bool) -> np.ndarray:
        """A copy of a texture (S, S) or (S, S, n) uint8 with the parts, in their light or without it."""
        flat = texture.reshape(self.size**2, -1).copy()
        colours = flat[self.places].astype(np.float32)
        light = self.parts.light[:, None] if lit else np.float32(1)
        colours = np.concatenate([colours, self.parts.carried(colours) * light])
        shown = np.einsum("nkc,nk->nc", colours[self.corners], self.weights)
        flat[self.texels] = np.clip(shown + 0.5, 0, 255)
        return flat.reshape(texture.shape)


def _build(face_model: FaceModel, parts: Parts, size: int) -> Canvas:
    triangle, weights = cover((parts.uv * [size, -size] + [-0.5, size - 0.5])[parts.uv_triangles], size)
    covered = triangle >= 0
    distance, nearest = distance_transform_edt(~covered, return_indices=True)  # type: ignore[misc]
    charts = Atlas.of(face_model, size).triangle >= 0
    rows, columns = np.nonzero(covered | ((distance <= MARGIN) & ~charts))
    source = nearest[0][rows, columns], nearest[1][rows, columns]
    first, second = weights[source].astype(np.float32).T / WHOLE
    return Canvas(
        parts=parts,
        size=size,
        texels=rows * size + columns,
        corners=parts.triangles[triangle[source]],
        weights=np.stack([first, second, 1 - first - second], axis=1),
        places=_places(face_model, size),
    )


def _places(face_model: FaceModel, size: int) -> np.ndarray:
    """(V,) flat index of the texel at each vertex of a model."""
    uv = np.zeros((len(face_model.mean_shape), 2))
    uv[face_model.triangles] = face_model.uv[face_model.uv_triangles]
    column, row = np.clip(uv * [size, -size] + [0, size], 0, size - 1).astype(np.int64).T
    return row * size + column
