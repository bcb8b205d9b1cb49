"""error: how far the model's picture of a face is from the photo."""

from __future__ import annotations

import numpy as np

from deep3d.drawing.heads import Faces, drawn_heads, pixels_of
from deep3d.drawing.legend import draw_legend, heat
from deep3d.lighting import shade
from deep3d.photo import Photo

MOST = 64.0  # grey levels of 255 at the bright end of the scale
_SCALE = heat(np.linspace(0, 1, 256))


def draw_error(faces: Faces, photo: Photo | np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the photo under the colour error of each face, whose legend is in grey levels of 255.

    The error is the mean difference, over red, green and blue, of the photo and the model's colours in the fitted
    light. Where the model has no colours (eyes, mouth, scalp) the photo stays.
    """
    pixels = pixels_of(photo)
    picture = pixels.copy()
    for head in drawn_heads(faces, *picture.shape[:2]):
        face = head.face
        lit = shade(face.albedo[None], face.placed_normals[None], face.coefficients.lighting)[0]
        drawn = head.interpolate(np.column_stack([255 * np.clip(lit, 0, 1), face.face_model.skin]))
        seen = (head.triangle >= 0) & (drawn[..., 3] > 0.5)
        difference = np.abs(drawn[seen, :3] - head.window(pixels)[seen]).mean(axis=1)
        level = np.minimum(difference * (255 / MOST), 255).astype(np.uint8)
        head.window(picture)[seen] = _SCALE[level]
    draw_legend(picture, _SCALE, "0", f"{MOST:.0f} grey levels")
    return picture
