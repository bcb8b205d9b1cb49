"""uv_tex: the textures of faces, unwrapped."""

from __future__ import annotations

import numpy as np

from deep3d.drawing.heads import Faces
from deep3d.reconstruction import Reconstruction


def draw_uv_texture(faces: Faces) -> np.ndarray:
    """(1024, N * 1024, 3) uint8: the textures of N faces side by side, in their order; row 0 lies at v = 1."""
    group = [faces] if isinstance(faces, Reconstruction) else faces
    return np.concatenate([face.texture for face in group], axis=1)
