"""The losses of weakly supervised training from photos (Deng et al., 2019, section 3), as in Deep3DFaceRecon.

Without known coefficients, a face is good if its rendering looks like the photo, its landmarks match, a face recogniser
gives similar features for both, and its coefficients are likely.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.face_model.dense_landmarks import face_region
from deep3d.landmarks import BROWS, EYES, LIPS
from deep3d.training.weak.augmentation import FaceCrops
from deep3d.training.weak.config import WeakWeights
from deep3d.training.weak.drawn_faces import DrawnFaces
from deep3d.training.weak.recogniser import Recogniser

TERMS = (
    "total",
    "photometric",
    "landmarks",
    "recognition",
    "identity",
    "expression",
    "albedo",
    "flatness",
    "light",
    "dense",
)
EMPHASISED = (*range(28, 31), *range(60, 68))
"""Landmarks of the nose ridge and the inner mouth."""
EMPHASIS = 20.0
"""Their weight relative to the others."""
_ROUNDING = 1e-6  # under square roots, so that their gradients are finite
_CLEARANCE = 0.1  # decimetres of skin round brows, eyes and lips that are excluded from `flatness`


class WeakLoss:
    """Compares rendered faces with crops of photos, on the rendering device."""

    def __init__(self, model: FaceModel, weights: WeakWeights, recogniser: Recogniser | None) -> None:
        self._weights = weights
        self._recogniser = recogniser
        self._even_skin = torch.from_numpy(even_skin(model))

    def __call__(self, faces: DrawnFaces, crops: FaceCrops) -> dict[str, Tensor]:
        """The terms, each a mean over the faces; `total` is their weighted sum."""
        device = faces.pictures.device
        images, landmarks = crops.images.to(device), crops.landmarks.to(device)
        attention = crops.attention.to(device) * faces.skin.detach()
        terms = {
            "photometric": photometric(faces.pictures, images, attention),
            "landmarks": landmark_distance(faces.landmarks, landmarks),
            **likelihood(faces.coefficients),
            "flatness": unevenness(faces.albedo, self._even_skin.to(device)),
            "light": colourfulness(faces.coefficients.lighting),
        }
        if self._recogniser is not None:
            terms["recognition"] = self._recogniser.distance(images, landmarks, faces.pictures, faces.landmarks)
        terms["total"] = torch.stack([getattr(self._weights, name) * term for name, term in terms.items()]).sum()
        return terms


def photometric(pictures: Tensor, photos: Tensor, attention: Tensor) -> Tensor:
    """Distance of colours (B, 3, H, W) in RGB, in [0, 1], averaged over the attention (B, H, W) (eq. 2 and 3).

    Robust because it is the distance and not its square.
    """
    distance = (pictures - photos).square().sum(dim=1).add(_ROUNDING).sqrt()
    return (distance * attention).sum() / attention.sum().clamp(min=1)


def landmark_distance(points: Tensor, landmarks: Tensor) -> Tensor:
    """Squared distance of landmarks (B, 68, 2), 20 times for those of the nose ridge and the inner mouth (eq. 4)."""
    weight = [EMPHASIS if k in EMPHASISED else 1.0 for k in range(68)]
    return ((points - landmarks).square().sum(dim=-1) * points.new_tensor(weight)).mean()


def likelihood(face: FaceCoefficients) -> dict[str, Tensor]:
    """Sum of the squared coefficients of each kind (eq. 6)."""
    return {name: getattr(face, name).square().sum(dim=1).mean() for name in ("identity", "expression", "albedo")}


def unevenness(albedo: Tensor, skin: Tensor) -> Tensor:
    """Variance of the albedo (B, V, 3) over skin vertices (V,) that should have one colour (eq. 7)."""
    weight = skin[None, :, None]
    mean = (weight * albedo).sum(dim=1, keepdim=True) / skin.sum()
    return ((albedo - mean) * weight).square().sum() / (len(albedo) * skin.sum())


def colourfulness(lighting: Tensor) -> Tensor:
    """Variance of lighting coefficients (B, 27) over the three channels: light is mostly white."""
    rows = lighting.unflatten(1, (3, -1))
    return (rows - rows.mean(dim=1, keepdim=True)).square().mean()


def even_skin(model: FaceModel) -> np.ndarray:
    """(V,) float32, 1 on cheeks, nose, chin and forehead, 0 near brows, eyes and lips and off the face."""
    mean = model.mean_shape
    points = model.landmarks(mean[None])[0]
    coloured = np.concatenate([points[BROWS], points[EYES], points[LIPS]])
    distance = np.linalg.norm(mean[:, None] - coloured[None], axis=-1).min(axis=1)
    return (face_region(model) & (model.skin > 0.9) & (distance > _CLEARANCE)).astype(np.float32)
