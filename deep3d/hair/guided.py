"""Guided filtering (He, Sun and Tang, 2010): a mask takes over the edges of the picture that it belongs to."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter


class Guide:
    """A picture (h, w, 3) in [0, 1] by which masks are filtered: what does not depend on them is worked out once."""

    def __init__(self, picture: np.ndarray, radius: int, smoothness: float) -> None:
        self._picture, self._side = picture.astype(np.float32), 2 * radius + 1
        self._mean = self._box(self._picture)
        products = self._box(self._picture[..., :, None] * self._picture[..., None, :])
        covariance = products - self._mean[..., :, None] * self._mean[..., None, :]
        self._inverse = np.linalg.inv(covariance + smoothness * np.eye(3, dtype=np.float32))

    def __call__(self, mask: np.ndarray) -> np.ndarray:
        """A mask (h, w) as a locally linear function of the picture."""
        mean = self._box(mask)
        shared = self._box(self._picture * mask[..., None]) - self._mean * mean[..., None]
        slope = (self._inverse @ shared[..., None])[..., 0]
        offset = mean - (slope * self._mean).sum(axis=-1)
        filtered = (self._box(slope) * self._picture).sum(axis=-1) + self._box(offset)
        return np.clip(filtered, 0, 1)

    def _box(self, values: np.ndarray) -> np.ndarray:
        size: Any = (self._side, self._side, *(1 for _ in values.shape[2:]))
        return uniform_filter(values, size, mode="nearest")
