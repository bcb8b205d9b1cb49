"""Eyes mirror the light round them, texel by texel: the vertices of an eyeball lie too far apart for it.

A film of tears is a mirror (Fresnel's reflectance as of Schlick, 1994). Lids and brows hide a part of the light.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.material.environments import looked_up
from deep3d.material.gloss import WET_SPECULAR
from deep3d.material.transfer import Transfer
from deep3d.mesh import normalize
from deep3d.texture import Atlas
from deep3d.texture.atlas import WHOLE
from deep3d.texture.skin_colour import eyeballs


@dataclass(frozen=True, eq=False)
class EyeTexels:
    """The N texels of a texture that show eyeballs."""

    places: np.ndarray  # (N,) flat indices
    corners: np.ndarray  # (N, 3) vertices between which each lies
    weights: np.ndarray  # (N, 3) float32 of these

    @classmethod
    def of(cls, model: FaceModel, size: int) -> EyeTexels:
        """Those of a model's atlas of a size, cached with the model."""
        return model.derived(_build, size)

    def between(self, values: np.ndarray) -> np.ndarray:
        """(N, C) of values (V, C) at the vertices."""
        return np.einsum("nkc,nk->nc", values[self.corners], self.weights)

    def mirrored(self, view: np.ndarray, transfer: Transfer, panorama: np.ndarray, turn: np.ndarray) -> np.ndarray:
        """(N, 3) the radiance that eyes reflect of a panorama (H, W, 3) toward a viewer in directions `view` (V, 3).

        `turn` (3, 3) leads from the space of the head to that of the panorama.
        """
        normals, toward = normalize(self.between(transfer.normals)), normalize(self.between(view))
        cosine = (normals * toward).sum(axis=1, keepdims=True)
        reflected = 2 * cosine * normals - toward
        direction = np.argmax(reflected @ transfer.directions.T, axis=1)
        arrives = (transfer.visible[self.corners, direction[:, None]] * self.weights).sum(axis=1, keepdims=True)
        fresnel = WET_SPECULAR + (1 - WET_SPECULAR) * (1 - np.clip(cosine, 0, 1)) ** 5
        return (cosine > 0) * arrives * fresnel * looked_up(panorama, reflected @ turn.T)


def _build(model: FaceModel, size: int) -> EyeTexels:
    atlas = Atlas.of(model, size)
    on_eye = np.append(model.derived(eyeballs)[model.triangles].all(axis=1), False)  # -1 is no triangle
    places = np.flatnonzero(on_eye[atlas.triangle].ravel())
    first, second = atlas.weights.reshape(-1, 2)[places].astype(np.float32).T / WHOLE
    weights = np.stack([first, second, 1 - first - second], axis=1)
    return EyeTexels(places, model.triangles[atlas.triangle.ravel()[places]], weights)
