"""`deep3d bench`: times the way from a photo to its files and the tools along it, in one run on one machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from deep3d.camera import CROP_SIZE, clip_space, depth, project
from deep3d.evaluation.report import describe_machine, utc_now
from deep3d.export import write_results
from deep3d.photo import read_photo
from deep3d.reconstruct import Reconstructor
from deep3d.rendering.kernels import interpolate_into, rasterize_into
from deep3d.training.heads import HeadGenerator

HEADS = 64  # synthetic heads that are timed
PHOTOS = 8  # copies of the photo in a batch


@dataclass(frozen=True)
class Figure:
    """One measured number: the median of several rounds, and their range."""

    name: str
    value: float
    unit: str
    low: float
    high: float


@dataclass(frozen=True)
class BenchReport:
    """The figures of one run."""

    figures: tuple[Figure, ...]
    machine: str
    date: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def to_markdown(self) -> str:
        """A table."""
        rows = [f"| {f.name} | {f.value:.4g} {f.unit} | {f.low:.4g} to {f.high:.4g} |" for f in self.figures]
        head = [f"Measured {self.date[:10]} on {self.machine}.", "", "| what | median | range |", "|---|---:|---:|"]
        return "\n".join(head + rows) + "\n"


def run_bench(photo_path: Path, rounds: int, advance: Callable[[str], None]) -> BenchReport:
    """Measure everything on one photo; `advance` is told the name of each part before it starts.

    Raises: Deep3DError if the photo gives no face, or a file of the project is missing.
    """
    reconstructor = Reconstructor.load()
    reconstructor(photo_path)  # a photo that cannot be used is told before anything is measured
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        advance("whole process")
        figures += _process(photo_path, out, rounds)
        advance("warm path")
        figures += _warm_path(reconstructor, photo_path, out, rounds)
        glb = next(out.rglob("face.glb")).stat().st_size / 1e6
        figures.append(Figure("face.glb", glb, "MB", glb, glb))
    with _one_core() as where:
        advance("rasteriser")
        figures += _rasteriser(rounds, where)
        advance("synthetic heads")
        figures.append(_heads(rounds, where))
    return BenchReport(tuple(figures), describe_machine(), utc_now())


def _process(photo: Path, out: Path, rounds: int) -> list[Figure]:
    """A whole cold `deep3d reconstruct`: time and the largest resident memory of the process."""
    seconds, memory = [], []
    command = [sys.executable, "-c", _MEASURED, "reconstruct", str(photo), "--out", str(out / "cold")]
    for _ in range(max(1, rounds // 4)):
        start = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds.append(time.perf_counter() - start)
        memory.append(float(done.stdout.split()[-1]))
    return [_figure("deep3d reconstruct, whole process", seconds, "s"), _figure("its peak memory", memory, "MB")]


_MEASURED = """
import atexit, sys
def report():
    from pathlib import Path
    lines = Path("/proc/self/status").read_text().splitlines()
    print([int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM")][0])
atexit.register(report)
from deep3d.cli import main
main()
"""
"""The command, followed by its own peak resident memory in MB, as Linux counts it."""


def _warm_path(reconstructor: Reconstructor, photo_path: Path, out: Path, rounds: int) -> list[Figure]:
    """From the photo's path to its files, models loaded, and the steps of that."""
    laps: dict[str, list[float]] = {}
    for number in range(rounds + 1):
        start = time.perf_counter()
        photo = read_photo(photo_path)
        read = time.perf_counter()
        face = reconstructor(photo)
        found = time.perf_counter()
        _ = face.texture
        textured = time.perf_counter()
        write_results(face, out / "warm")
        end = time.perf_counter()
        steps = {
            "photo to all files": end - start,
            "  read": read - start,
            "  detection": face.timings_ms["detection"] / 1000,
            "  two alignments and regressions": face.timings_ms["regression"] / 1000,
            "  fit": face.timings_ms["fit"] / 1000,
            "  texture 1024 x 1024": textured - found,
            "  files": end - textured,
        }
        if number:  # the first round compiles and fills caches
            for name, value in steps.items():
                laps.setdefault(name, []).append(1000 * value)
    batch = [read_photo(photo_path)] * PHOTOS
    times = _timed(lambda: reconstructor.reconstruct(batch), rounds)
    figures = [_figure(name, values, "ms") for name, values in laps.items()]
    return [*figures, _figure(f"photo to vertices, {PHOTOS} at once, each", [1000 * t / PHOTOS for t in times], "ms")]


def _rasteriser(rounds: int, where: str) -> list[Figure]:
    """Rasterising and interpolating the mean face."""
    from deep3d.face_model import default_face_model

    model = default_face_model()
    figures = []
    for size in (224, 1024):
        vertices = model.mean_shape[None]
        pixels = (project(vertices) + 0.5) * (size / CROP_SIZE) - 0.5
        clip = clip_space(pixels, depth(vertices), (size, size))[0].astype(np.float32)
        triangle, depths = np.empty((size, size), np.int32), np.empty((size, size), np.float32)
        weights, picture = np.empty((size, size, 2), np.float32), np.empty((size, size, 3), np.float32)

        def draw(clip=clip, triangle=triangle, weights=weights, depths=depths, picture=picture) -> None:
            rasterize_into(clip, model.triangles, triangle, weights, depths)
            interpolate_into(model.mean_albedo, model.triangles, triangle, weights, picture)

        draw()
        times = [1000 * t for t in _timed(draw, 4 * rounds)]
        figures.append(_figure(f"rasterise and interpolate {size} x {size}, {where}", times, "ms"))
    return figures


def _heads(rounds: int, where: str) -> Figure:
    """Synthetic training heads, as whole crops."""
    from deep3d.face_model import default_face_model

    generator = HeadGenerator(default_face_model(), seed=0)
    generator.draw(16)
    times = _timed(lambda: generator.draw(HEADS), max(1, rounds // 2))
    return _figure(f"synthetic heads rendered, {where}", [HEADS / t for t in times], "per second")


@contextmanager
def _one_core() -> Iterator[str]:
    """Keep every thread of this process on one core, those of numpy's algebra too, and say where it ran.

    Only Linux can; elsewhere they run on all cores.
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


def _timed(action: Callable[[], object], rounds: int) -> list[float]:
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return seconds


def _figure(name: str, values: list[float], unit: str) -> Figure:
    return Figure(name, median(values), unit, min(values), max(values))
