"""uncertainty: how far each point of a face is expected to be from its true place."""

from __future__ import annotations

import numpy as np

from deep3d.drawing.heads import Faces, drawn_heads, pixels_of
from deep3d.drawing.legend import draw_legend, heat
from deep3d.photo import Photo

MOST = 5.0  # millimetres at the bright end of the scale
_SCALE = heat(np.linspace(0, 1, 256))


def draw_uncertainty(faces: Faces, photo: Photo | np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the photo under the expected error of each face's shape, whose legend is in millimetres.

    A face that was not fitted has no expected error: there the photo stays.
    """
    picture = pixels_of(photo).copy()
    for head in drawn_heads(faces, *picture.shape[:2]):
        deviation = head.face.vertex_deviation
        if deviation is None:
            continue
        seen = head.triangle >= 0
        millimetres = head.interpolate(deviation[:, None].astype(np.float32))[seen, 0]
        head.window(picture)[seen] = _SCALE[np.minimum(millimetres * (255 / MOST), 255).astype(np.uint8)]
    draw_legend(picture, _SCALE, "0", f"{MOST:.0f} mm")
    return picture
