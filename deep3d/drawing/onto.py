"""Textured heads in place of those in a picture, such as another person's face with the same expression and pose."""

from __future__ import annotations

import numpy as np

from deep3d.drawing.heads import Faces, drawn_heads, pixels_of
from deep3d.drawing.shading import CODES, LINEAR, encode, shade_texture
from deep3d.photo import Photo

BACKGROUND = 233  # light grey


def draw_textured(faces: Faces, photo: Photo | np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: each head with its texture at its place in the photo, on light grey."""
    picture = np.full_like(pixels_of(photo), BACKGROUND)
    for head in drawn_heads(faces, *picture.shape[:2]):
        face = head.face
        light = LINEAR[face.texture]
        uv_triangles = face.face_model.uv_triangles[head.front]
        shown = shade_texture(light, face.face_model.uv, head.fragments, uv_triangles, float(LINEAR[BACKGROUND]))
        seen = head.triangle >= 0
        head.window(picture)[seen] = encode(shown[0], CODES)[seen]
    return picture
