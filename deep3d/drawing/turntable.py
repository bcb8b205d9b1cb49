"""turntable: textured heads that turn once round."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deep3d.camera import Pose
from deep3d.drawing.heads import Faces
from deep3d.drawing.view import WHITE, draw_view
from deep3d.reconstruction import Reconstruction

FRAMES = 72
RATE = 24  # frames in a second
SIZE = 480  # pixels a side of each head's picture


def draw_turntable(faces: Faces, frames: int = FRAMES, size: int = SIZE) -> Iterator[np.ndarray]:
    """Frames (size, N * size, 3) uint8 of N heads side by side, in their order, as they turn once to the right."""
    group = [faces] if isinstance(faces, Reconstruction) else faces
    for yaw in np.linspace(0, 360, frames, endpoint=False):
        views = [_view(face, float(yaw), size) for face in group]
        yield np.concatenate(views, axis=1)


def _view(face: Reconstruction, yaw: float, size: int) -> np.ndarray:
    return draw_view(face.whole_mesh, face.texture, Pose(yaw, 0, 0), size, WHITE, face.hair)
