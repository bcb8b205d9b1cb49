"""The rasteriser and the generator of training heads, each on one core."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from deep3d.bench.figures import Section, compared, figure
from deep3d.bench.timing import race
from deep3d.camera import CROP_SIZE, clip_space, depth, project
from deep3d.face_model import FaceModel
from deep3d.rendering.kernels import interpolate_into, rasterize_into
from deep3d.synthetic.heads import HeadGenerator

HEADS = 64  # drawn at a time
SIZES = (224, 1024)  # pixels a side


def tools_section(face_model: FaceModel, rounds: int) -> Section:
    """Milliseconds of drawing the mean face, and heads per second."""
    generator = HeadGenerator(face_model, seed=0)
    with _one_core() as where:
        drawn = race(
            {f"rasterise and interpolate {size} x {size}": _Drawing(face_model, size) for size in SIZES}, rounds
        )
        heads = race({"synthetic heads": lambda: generator.draw(HEADS)}, max(1, rounds // 4))
    rate = figure("synthetic heads", [HEADS / t for t in heads["synthetic heads"]], "per second")
    return Section(f"Tools, {where}", (*compared(drawn, base=None), rate))


class _Drawing:
    """Rasterises and interpolates the mean face."""

    def __init__(self, model: FaceModel, size: int) -> None:
        vertices = model.mean_shape[None]
        pixels = (project(vertices) + 0.5) * (size / CROP_SIZE) - 0.5
        self._clip = clip_space(pixels, depth(vertices), (size, size))[0].astype(np.float32)
        self._model = model
        self._triangle, self._depth = np.empty((size, size), np.int32), np.empty((size, size), np.float32)
        self._weights, self._picture = np.empty((size, size, 2), np.float32), np.empty((size, size, 3), np.float32)

    def __call__(self) -> None:
        rasterize_into(self._clip, self._model.triangles, self._triangle, self._weights, self._depth)
        interpolate_into(self._model.mean_albedo, self._model.triangles, self._triangle, self._weights, self._picture)


@contextmanager
def _one_core() -> Iterator[str]:
    """Keep every thread of this process, those of BLAS too, on one core, and describe where it ran.

    Linux only; elsewhere they run on all cores.
    """
    threads = Path("/proc/self/task")
    if not threads.is_dir():
        yield "all cores"
        return
    cores = {int(thread.name): os.sched_getaffinity(int(thread.name)) for thread in threads.iterdir()}
    core = {min(os.sched_getaffinity(0))}
    for thread in cores:
        os.sched_setaffinity(thread, core)
    try:
        yield "one core"
    finally:
        for thread, allowed in cores.items():
            if (threads / str(thread)).exists():
                os.sched_setaffinity(thread, allowed)
