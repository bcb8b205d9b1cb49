"""Skin tone as a photo shows it: the individual typology angle of the cheeks (Chardon et al., 1991).

ITA = arctan((L* - 50) / b*) in degrees, of CIELAB under daylight: light skin has a large angle, dark skin a negative
one. It is measured in the photo and includes its light, so it groups photos, not people.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from deep3d.evaluation.measurement import Groups
from deep3d.photo import read_photo

CHEEKS = (((40, 41), (31,), (48,)), ((46, 47), (35,), (54,)))
"""Corners of the triangle on each cheek: below the eye, beside the nose, at the mouth; means of the 68 landmarks."""
LIGHT, DARK = 41.0, 10.0
"""Degrees: Chardon's very light and light skin lies above the first, his brown and dark skin below the second, and
intermediate and tan skin between."""

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])  # D65


def group_by_skin_tone(photos: Sequence[Path], landmarks: np.ndarray) -> Groups:
    """Light, medium and dark photos, by the (N, 68, 2) landmarks in them.

    Raises: PhotoError for a photo that cannot be used.
    """
    angle = np.array([typology_angle(read_photo(path).pixels, points) for path, points in zip(photos, landmarks)])
    return {
        "skin": {
            "light": angle > LIGHT,
            "medium": (angle <= LIGHT) & (angle >= DARK),
            "dark": angle < DARK,
        }
    }


def typology_angle(photo: np.ndarray, landmarks: np.ndarray) -> float:
    """ITA in degrees of the median colour of the cheek that is seen better, of (68, 2) landmarks in an (H, W, 3) photo.

    NaN where neither cheek lies in the photo.
    """
    cheeks = [np.stack([landmarks[list(corner)].mean(axis=0) for corner in corners]) for corners in CHEEKS]
    masks = [_inside(cheek, *photo.shape[:2]) for cheek in cheeks]
    mask = max(masks, key=np.count_nonzero)
    if not mask.any():
        return float("nan")
    lightness, _, blue_yellow = lab(np.median(photo[mask], axis=0) / 255)
    return float(np.degrees(np.arctan2(lightness - 50, blue_yellow)))


def lab(colour: np.ndarray) -> np.ndarray:
    """CIELAB (..., 3) under D65 of sRGB colours (..., 3) in [0, 1]."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    ratio = linear @ _TO_XYZ.T / _WHITE
    x, y, z = np.moveaxis(np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _inside(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    mask = Image.new("1", (width, height))
    ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in corners], fill=1)
    return np.asarray(mask)
