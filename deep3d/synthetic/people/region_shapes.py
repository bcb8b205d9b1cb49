"""Shapes with features beyond the linear model: noses, chins, jaws, cheeks and brows of other sizes.

Different from `free_shapes`, for testing networks that were trained on those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.face_model import FaceModel

REGIONS: tuple[tuple[tuple[int, ...], float, float], ...] = (
    ((27, 28), 0.16, 0.9),
    ((29, 30), 0.16, 1.2),
    ((33,), 0.14, 0.9),
    ((31, 35), 0.12, 0.7),
    ((8,), 0.3, 1.5),
    ((5, 11), 0.35, 1.5),
    ((3, 13), 0.4, 1.5),
    ((1, 15), 0.4, 1.5),
    ((40, 47), 0.3, 0.9),
    ((48, 54), 0.3, 0.9),
    ((51,), 0.15, 0.7),
    ((57,), 0.15, 0.7),
    ((19, 24), 0.22, 0.9),
    ((17, 26), 0.3, 0.9),
    ((21, 22), 0.3, 0.9),
)
"""Landmarks in the middle of a region, those of both sides together; its radius, decimetres; how far it moves, mm."""
CROOKED = 0.3  # ratio of the asymmetric to the symmetric motion


@dataclass(frozen=True, eq=False)
class RegionShapes:
    """Random displacements of one face model."""

    masks: np.ndarray  # (R, V) one for each side of each region, 1 in its middle
    scale: np.ndarray  # (R,) decimetres
    pair: np.ndarray  # (R,) which region it belongs to
    side: np.ndarray  # (R,) -1 on the image left, 1 on the right, 0 in the middle

    @classmethod
    def of(cls, model: FaceModel) -> RegionShapes:
        """Compute the regions of a model's mean shape."""
        points = model.landmarks(model.mean_shape[None])[0]
        masks, scale, pair, side = [], [], [], []
        for number, (landmarks, radius, millimetres) in enumerate(REGIONS):
            mirrored = len(landmarks) == 2 and abs(points[landmarks[0], 0]) > 0.05
            for middle in points[list(landmarks)] if mirrored else points[list(landmarks)].mean(axis=0, keepdims=True):
                reach = np.linalg.norm(model.mean_shape - middle, axis=1) / radius
                masks.append(np.exp(-0.5 * reach**2))
                scale.append(millimetres / 100)
                pair.append(number)
                side.append(np.sign(middle[0]) if mirrored else 0)
        return cls(np.array(masks, np.float32), np.array(scale, np.float32), np.array(pair), np.array(side, np.float32))

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Displacements (B, V, 3) in decimetres of `count` people."""
        together = rng.normal(size=(count, len(REGIONS), 3))[:, self.pair] * [0.5, 0.7, 1.0]
        together[..., 0] *= self.side
        apart = CROOKED * rng.normal(size=together.shape)
        moves = ((together + apart) * self.scale[:, None]).astype(np.float32)
        return np.stack([moves[..., axis] @ self.masks for axis in range(3)], axis=-1)
