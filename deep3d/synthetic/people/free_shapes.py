"""Shapes beyond the linear model: smooth random displacements of a head, coarse and fine, symmetric or not.

A Gaussian process over the mean shape, by random Fourier features (Rahimi and Recht, 2007) that are even or odd under
reflection, so that symmetric parts are exactly symmetric.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.face_model import FaceModel

BANDS = ((0.9, 0.6), (0.45, 0.5), (0.22, 0.6), (0.12, 0.35))
"""Scales of the displacements (standard deviation of the kernel in decimetres), and their size in mm rms."""
FEATURES = 150  # of each band
CROOKED = 0.35  # ratio of the asymmetric to the symmetric part
SPREAD = (0.4, 1.5)  # range of a factor of a person's displacements


@dataclass(frozen=True, eq=False)
class FreeShapes:
    """Random displacements of one face model."""

    even: np.ndarray  # (F, V) features that are the same on both sides
    odd: np.ndarray  # (F, V) features of opposite sign on the other side
    amplitude: np.ndarray  # (F,) decimetres

    @classmethod
    def of(cls, model: FaceModel, seed: int = 0) -> FreeShapes:
        """Draw the features."""
        rng = np.random.default_rng(seed)
        even, odd, amplitude = [], [], []
        for scale, millimetres in BANDS:
            waves = rng.normal(0, 1 / scale, (FEATURES, 3)).astype(np.float32)
            phase = rng.uniform(0, 2 * np.pi, (FEATURES, 1)).astype(np.float32)
            along = waves[:, 1:] @ model.mean_shape[:, 1:].T + phase
            across = waves[:, :1] * model.mean_shape[:, 0]
            even.append(np.cos(across) * np.cos(along))
            odd.append(np.sin(across) * np.cos(along))
            amplitude.append(np.full(FEATURES, millimetres / 100 * np.sqrt(2 / FEATURES)))
        return cls(np.concatenate(even), np.concatenate(odd), np.concatenate(amplitude).astype(np.float32))

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Displacements (B, V, 3) in decimetres of `count` people."""
        spread = rng.uniform(*SPREAD, (1, count, 1)).astype(np.float32)
        size = (3, count, len(self.amplitude))
        alike, crooked = (rng.normal(size=size).astype(np.float32) * self.amplitude * spread for _ in range(2))
        crooked *= CROOKED
        x = alike[0] @ self.odd + crooked[0] @ self.even
        y, z = (alike[axis] @ self.even + crooked[axis] @ self.odd for axis in (1, 2))
        return np.stack([x, y, z], axis=-1)
