"""What heads of hair look like: mean and principal components of thickness and hairline over the grid.

Learned from made-up styles (`bfm/build_hair_model.py`); where a photo shows nothing, they say what goes with what it
shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.errors import FaceModelInvalid
from deep3d.face_model import FaceModel
from deep3d.files.assets import asset
from deep3d.files.tensor_file import read_tensors
from deep3d.hair.grid import POINTS, rays

HAIR_MODEL = "hair_model.safetensors"


@dataclass(frozen=True, eq=False)
class HairModel:
    """Styles as thickness (first half) and edge (second half) at each point of the grid, P = 2 * POINTS, decimetres.

    Thickness is how far hair reaches beyond the skin along the ray, edge how far inside the hair's border a point is.
    """

    mean: np.ndarray  # (P,) float32
    basis: np.ndarray  # (K, P) float32, for one standard deviation
    base: np.ndarray  # (POINTS, 3) float32 where the rays leave the skin of the mean head
    vertices: np.ndarray  # (POINTS, 8) vertices of the head that a point moves with
    weights: np.ndarray  # (POINTS, 8) float32, how much
    ears: np.ndarray  # (POINTS,) float32 how far ears stick out of the skin
    directions: np.ndarray  # (POINTS, 3) float32 unit directions of the rays

    def skin(self, vertices: np.ndarray, face_model: FaceModel) -> np.ndarray:
        """(POINTS, 3) where the rays leave the skin of a head with vertices (V, 3), its ears taken away."""
        moved = (vertices - face_model.mean_shape).astype(np.float32)
        return self.base + np.einsum("pkc,pk->pc", moved[self.vertices], self.weights)


def hair_model(face_model: FaceModel) -> HairModel | None:
    """The hair model that belongs to a face model, which keeps it; None where it belongs to another.

    Raises: FaceModelInvalid if the shipped file is missing or damaged.
    """
    return face_model.derived(_read)


def _read(face_model: FaceModel) -> HairModel | None:
    path = asset("bfm", HAIR_MODEL)
    try:
        file = read_tensors(path)
        if file.metadata["face_model"] != face_model.info.sha256:
            return None
        arrays = file.arrays
        return HairModel(
            mean=arrays["mean"].astype(np.float32),
            basis=arrays["basis"] * arrays["basis_scale"][:, None],
            base=arrays["base"],
            vertices=arrays["vertices"].astype(np.int64),
            weights=arrays["weights"].astype(np.float32),
            ears=arrays["ears"].astype(np.float32),
            directions=rays()[1].reshape(POINTS, 3).astype(np.float32),
        )
    except (OSError, ValueError, KeyError) as error:
        raise FaceModelInvalid(f"{path}: no hair model in it ({error}); get the file again") from error
