"""Training data of a refiner: crops, true landmarks, and the faces of a checkpoint and of a fit.

Heads are rendered, regressed and fitted once, before training, into files of the run's folder: doing so for each batch
would take as long as training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from deep3d.camera import CROP_SIZE, Camera
from deep3d.coefficients import COEFFICIENT_COUNT, ROTATION
from deep3d.face_model import read_face_model
from deep3d.fitting import LandmarkBasis, fit_landmarks, trusted_deviation
from deep3d.network.checkpoints import Checkpoint
from deep3d.regression import Regressor
from deep3d.rendering.gpu import gpu_rasterizer
from deep3d.runtime import load_runtime
from deep3d.synthetic.device.heads import DeviceHeadGenerator
from deep3d.synthetic.heads import HeadGenerator, Heads
from deep3d.training.device_stream import CHUNK as DRAWN_ON_CARD
from deep3d.training.helpers import ahead, helping_processes
from deep3d.training.portraits import Portraits
from deep3d.training.traced import TracedFolder

CHUNK = 64  # heads drawn, regressed and fitted at a time


@dataclass(frozen=True, eq=False)
class Starts:
    """N faces. Unknown values are NaN: for portraits, everything except 68 landmarks."""

    crops: np.ndarray  # (N, 224, 224, 3) uint8
    points: np.ndarray  # (N, n, 2) float32 true crop pixels of the dense landmarks
    true: np.ndarray  # (N, 257) float32 coefficient vectors
    regressed: np.ndarray  # (N, 257) float32, seen by the fixed camera
    fitted: np.ndarray  # (N, 257) float32, each seen by its own
    lenses: np.ndarray  # (N, 4) float32 focal length, column, row and distance of that

    @cached_property
    def odds(self) -> np.ndarray:
        """(N,) sampling probabilities, sum 1: a profile has three times that of a frontal face.

        Landmarks of profiles have twice the error, and one head in five is a profile.
        """
        odds = 1 + self.regressed[:, ROTATION][:, 1].astype(np.float64) ** 2
        return odds / odds.sum()


@dataclass(frozen=True)
class StartMaker:
    """Makes the missing starts for the refiner of a checkpoint."""

    checkpoint: Checkpoint
    model_path: Path
    workers: int  # processes that fit, and render if the device does not
    device: torch.device  # renders and regresses, if it is a GPU

    def heads(self, folder: Path, count: int, seed: int) -> Starts:
        """`count` synthetic heads, kept in the folder.

        Raises: FaceModelError; RuntimeUnavailable.
        """
        return _kept(folder / "heads", count, lambda: self._started(lambda pool: self._drawn(pool, count, seed)))

    def portraits(self, folder: Path, portraits: Path, count: int, seed: int) -> Starts:
        """`count` crops of the real portraits of a data set, with 68 known landmarks, kept in the folder.

        Raises: DatasetError; PhotoError if a photo cannot be read.
        """
        return _kept(
            folder / "portraits", count, lambda: self._started(lambda _: self._cropped(portraits, count, seed))
        )

    def traced(self, folder: Path, source: Path) -> Starts:
        """The path-traced heads in a folder, kept in the run's.

        Raises: DatasetError.
        """
        traced, dense = TracedFolder.at(source), len(self.checkpoint.dense_vertices)

        def heads(_: Executor) -> Iterator[Heads]:
            return (Heads(each.crops, each.vectors, each.points) for each in traced.read(dense))

        return _kept(folder / "traced", traced.count, lambda: self._started(heads))

    def _drawn(self, pool: Executor, count: int, seed: int) -> Iterator[Heads]:
        """Synthetic heads by the chunk."""
        dense = self.checkpoint.dense_vertices
        rasterizer = gpu_rasterizer(self.device)
        if rasterizer is not None:
            model = read_face_model(self.model_path)
            generator = DeviceHeadGenerator(model, seed, dense, rasterizer, self.device)
            for _, size in _chunks(count, DRAWN_ON_CARD):
                heads = generator.draw(size)
                yield Heads(heads.crops.cpu().numpy(), heads.vectors.cpu().numpy(), heads.points.cpu().numpy())
            return
        jobs = (pool.submit(_draw, self.model_path, seed + start, dense, size) for start, size in _chunks(count))
        for drawn in ahead(jobs, 2 * self.workers):
            yield drawn.result()

    def _cropped(self, portraits: Path, count: int, seed: int) -> Iterator[Heads]:
        """Portraits by the chunk, as heads with few labels."""
        source, rng = Portraits(portraits), np.random.default_rng(seed)
        for _, size in _chunks(count):
            images, landmarks = source.batch(rng, size, CROP_SIZE)
            points = np.full((size, len(self.checkpoint.dense_vertices), 2), np.nan, np.float32)
            points[:, :68] = landmarks
            yield Heads(images, np.full((size, COEFFICIENT_COUNT), np.nan, np.float32), points)

    def _started(self, drawn: Callable[[Executor], Iterator[Heads]]) -> Iterator[Starts]:
        """The chunks with the results of the checkpoint and of a fit to its landmarks."""
        basis = LandmarkBasis.of_vertices(read_face_model(self.model_path), self.checkpoint.dense_vertices)
        runtime = "cuda" if self.device.type == "cuda" else None
        regressor = Regressor(load_runtime(self.checkpoint, runtime), self.checkpoint.info.crop_size, CHUNK)
        with helping_processes(self.workers) as pool:

            def fits():
                for heads in drawn(pool):
                    regression = regressor(heads.crops)
                    coefficients, dense = regression.coefficients, regression.dense
                    assert dense is not None  # a checkpoint without dense landmarks has no refiner
                    deviation = trusted_deviation(dense.deviation)
                    yield heads, coefficients, pool.submit(fit_landmarks, basis, dense.points, deviation, coefficients)

            for heads, coefficients, fitting in ahead(fits(), 2 * self.workers):
                fit = fitting.result()
                yield Starts(
                    heads.crops,
                    heads.points,
                    heads.vectors,
                    coefficients.to_vector(),
                    fit.coefficients.to_vector(),
                    np.array([_lens(camera) for camera in fit.cameras], np.float32),
                )


def _draw(model_path: Path, seed: int, dense_vertices: tuple[int, ...], count: int) -> Heads:
    """So many heads of a seed."""
    return HeadGenerator(read_face_model(model_path), seed, dense_vertices).draw(count)


def _chunks(count: int, chunk: int = CHUNK) -> Iterator[tuple[int, int]]:
    """Starts and sizes of the chunks of `count`."""
    for start in range(0, count, chunk):
        yield start, min(chunk, count - start)


def _lens(camera: Camera) -> tuple[float, float, float, float]:
    return camera.focal_length_px, camera.column, camera.row, camera.distance


def _kept(folder: Path, count: int, make: Callable[[], Iterator[Starts]]) -> Starts:
    """The content of the folder, made first if missing; files appear together or not at all."""
    if not folder.exists():
        partial_folder = folder.with_suffix(".partial")
        partial_folder.mkdir(parents=True, exist_ok=True)
        _write(partial_folder, count, make())
        partial_folder.replace(folder)
    return Starts(*(np.load(folder / f"{field.name}.npy", mmap_mode="r") for field in fields(Starts)))


def _write(folder: Path, count: int, chunks: Iterator[Starts]) -> None:
    arrays: dict[str, np.ndarray] = {}
    done = 0
    for chunk in chunks:
        for field in fields(Starts):
            part = getattr(chunk, field.name)
            if field.name not in arrays:
                shape = (count, *part.shape[1:])
                arrays[field.name] = np.lib.format.open_memmap(folder / f"{field.name}.npy", "w+", part.dtype, shape)
            arrays[field.name][done : done + len(part)] = part
        done += len(chunk.crops)
