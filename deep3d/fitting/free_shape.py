"""Post-processing of displacements: folds are removed, and the linear model absorbs its part."""

from __future__ import annotations

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.fitting.basis import LARGEST_DEVIATION, SurfaceBasis
from deep3d.mesh import triangle_normals

SMALL_PART = 0.01  # of the mean square that an identity component moves the skin by: keeps the weak ones small
TURNED = 0.2  # cosine between a triangle's normals without and with displacements, below which it is folded
DAMPED = 0.5  # factor of the displacements round a fold, in each pass
TRIES = 5


def absorbed(basis: SurfaceBasis, identity: np.ndarray, displacement: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The identity (80,) that describes a displaced face best, and the remaining (V, 3) displacements.

    The shape does not change. Least squares over the skin.
    """
    if not displacement.any():
        return identity, displacement
    skin, inverse = basis.model.derived(_skin_fit, basis)
    wanted = np.einsum("vik,vi->k", basis.directions[skin, :, : basis.identities], displacement[skin])
    best = (identity + inverse @ wanted).clip(-LARGEST_DEVIATION, LARGEST_DEVIATION).astype(np.float32)
    taken = basis.directions[..., : basis.identities] @ (best - identity)
    return best, (displacement - taken).astype(np.float32)


def _skin_fit(model: FaceModel, basis: SurfaceBasis) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the skin's vertices, and the inverse (80, 80) of the normal matrix of identities on them."""
    skin = np.flatnonzero(model.skin > 0.5)
    rows = basis.directions[skin, :, : basis.identities].reshape(-1, basis.identities).astype(np.float64)
    normal = rows.T @ rows
    return skin, np.linalg.inv(normal + SMALL_PART * np.trace(normal) / len(normal) * np.eye(len(normal)))


def unfolded(model: FaceModel, poses: np.ndarray, displacement: np.ndarray) -> tuple[np.ndarray, int]:
    """Displacements (V, 3), damped where they would fold triangles in one of the poses (B, V, 3), and their number.

    If damping round the folds does not help, all are damped, and if that does not help, none is left.
    """
    if not displacement.any():
        return displacement, 0
    plain = triangle_normals(poses, model.triangles)
    folds = 0
    for number in range(2 * TRIES):
        moved = triangle_normals(poses + displacement, model.triangles)
        folded = ~((plain * moved).sum(axis=2) >= TURNED).all(axis=0)  # true for what is not a number, too
        if not folded.any():
            return displacement.astype(np.float32), folds
        folds = max(folds, int(folded.sum()))
        near = np.full(len(displacement), number >= TRIES)
        near[model.triangles[folded]] = True
        near[model.triangles[near[model.triangles].any(axis=1)]] = True
        displacement = np.where(near[:, None], DAMPED * displacement, displacement)
    return np.zeros_like(displacement, np.float32), folds
