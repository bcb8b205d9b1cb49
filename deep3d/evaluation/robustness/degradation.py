"""Deliberately degraded photos, to test the confidence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter


def _blurred(photo: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    radius = _side(box) * rng.uniform(0.01, 0.08)
    return np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(radius)))


def _noisy(photo: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(0, rng.uniform(15, 90), photo.shape).astype(np.float32)
    return np.clip(photo + noise, 0, 255).astype(np.uint8)


def _dark(photo: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Underexposed, with the noise of an amplified sensor."""
    light = rng.uniform(0.03, 0.3)
    return np.clip(photo * light + rng.normal(0, 4, photo.shape), 0, 255).astype(np.uint8)


def _small(photo: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The face reduced to 16 to 60 pixels and enlarged again."""
    height, width = photo.shape[:2]
    factor = rng.uniform(16, 60) / _side(box)
    size = max(round(width * factor), 8), max(round(height * factor), 8)
    small = Image.fromarray(photo).resize(size, Image.Resampling.BOX)
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def _covered(photo: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A plain disc covers a quarter to a half of the face."""
    covered = photo.copy()
    middle = box[:2] + rng.uniform(0.1, 0.9, 2) * (box[2:] - box[:2])
    radius = _side(box) * rng.uniform(0.25, 0.45)
    rows, columns = np.indices(photo.shape[:2])
    inside = (columns - middle[0]) ** 2 + (rows - middle[1]) ** 2 < radius**2
    covered[inside] = rng.integers(0, 256, 3)
    return covered


def _side(box: np.ndarray) -> float:
    return float(np.sqrt(np.prod(box[2:] - box[:2])))


DEGRADATIONS: dict[str, Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]] = {
    "blurred": _blurred,
    "noisy": _noisy,
    "dark": _dark,
    "small": _small,
    "covered": _covered,
}
"""By name: the degraded copy of an (H, W, 3) uint8 photo whose face has the box (4,) left, top, right, bottom."""
