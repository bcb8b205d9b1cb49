"""turntable: heads that turn once round, in any look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from deep3d.camera import Pose
from deep3d.drawing.heads import Faces
from deep3d.drawing.looks import STUDIO, dressed
from deep3d.reconstruction import Reconstruction

FRAMES = 72
RATE = 24  # frames in a second
SIZE = 480  # pixels a side of each head's picture


def draw_turntable(
    faces: Faces, frames: int = FRAMES, size: int = SIZE, look: str = "photo", light: str | Path | np.ndarray = STUDIO
) -> Iterator[np.ndarray]:
    """Frames (size, N * size, 3) uint8 of N heads side by side, in their order, as they turn once to the right.

    All are in one of `LOOKS`; `light`, as `relight` takes it, is that of relit heads.
    """
    group = [faces] if isinstance(faces, Reconstruction) else faces
    heads = [dressed(face, look, light) for face in group]
    for yaw in np.linspace(0, 360, frames, endpoint=False):
        yield np.concatenate([head.view(Pose(float(yaw), 0, 0), size) for head in heads], axis=1)
