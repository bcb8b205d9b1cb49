"""Skin pixels of a face by its own colours: the attention mask of photos without one.

Deng et al. (2019) use a naive Bayes classifier with colour mixtures from labelled photos, which are not available here.
The middle of a face with known landmarks is nearly all skin, so its robust spread of colours serves the same purpose
for this light and this person: beards, glasses, gloved hands and hair in the face get little attention.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from deep3d.landmarks import BROWS, EYES, JAW, LIPS
from deep3d.texture.skin_colour import colour_distance
from deep3d.texture.view import smoothstep

LIKE, UNLIKE = 2.5, 4.5  # spreads of the face's own colours: skin up to, nothing of it from
_FOREHEAD = 0.6  # of the height from brows to chin that the outline reaches above the brows
_SMALLEST_SAMPLE = 200  # pixels


def skin_attention(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Attention (H, W) uint8, 255 on skin, for a picture (H, W, 3) uint8 of a face with landmarks (68, 2).

    It is zero outside the face with its forehead, and full if too little of the face is in the picture.
    """
    height, width = image.shape[:2]
    face = _filled(width, height, [_outline(landmarks)])
    parts = [landmarks[EYES][:6], landmarks[EYES][6:], landmarks[LIPS][:12]]
    sample = (_filled(width, height, [landmarks[JAW]]) > _filled(width, height, parts)).astype(bool)
    if sample.sum() < _SMALLEST_SAMPLE:
        return 255 * face
    distance = colour_distance(image.reshape(-1, 3).astype(np.float32), sample.ravel()).reshape(face.shape)
    return np.rint(255 * face * (1 - smoothstep(distance, LIKE, UNLIKE))).astype(np.uint8)


def _outline(landmarks: np.ndarray) -> np.ndarray:
    """The jaw, closed by brows that are lifted to the hairline."""
    chin, brows = landmarks[8], landmarks[BROWS]
    lifted = brows + _FOREHEAD * (brows.mean(axis=0) - chin)
    return np.concatenate([landmarks[JAW], lifted[::-1]])


def _filled(width: int, height: int, polygons: list[np.ndarray]) -> np.ndarray:
    """(H, W) uint8, 1 inside of the polygons."""
    picture = Image.new("L", (width, height))
    draw = ImageDraw.Draw(picture)
    for polygon in polygons:
        draw.polygon([(float(x), float(y)) for x, y in polygon], fill=1)
    return np.asarray(picture)
