"""What a refiner learns from: crops, where their landmarks truly are, and where a checkpoint and a fit put the face.

Heads are drawn and regressed once, before training, into files of the run's folder: regressing them anew for each batch
would take as long as training.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np

from deep3d.camera import CROP_SIZE, Camera
from deep3d.checkpoints import Checkpoint
from deep3d.coefficients import COEFFICIENT_COUNT
from deep3d.face_model import read_face_model
from deep3d.fitting import LandmarkBasis, fit_landmarks, trusted_deviation
from deep3d.regressor import Regressor
from deep3d.runtime import load_runtime
from deep3d.training.heads import HeadGenerator, Heads
from deep3d.training.portraits import Portraits
from deep3d.training.stopping import ignore_interrupt

CHUNK = 64  # heads drawn and regressed at a time


@dataclass(frozen=True, eq=False)
class Starts:
    """N faces. What is not known of them, all but 68 landmarks of portraits, is not a number."""

    crops: np.ndarray  # (N, 224, 224, 3) uint8
    points: np.ndarray  # (N, n, 2) float32 true crop pixels of the dense landmarks
    true: np.ndarray  # (N, 257) float32 coefficient vectors
    regressed: np.ndarray  # (N, 257) float32, seen by the fixed camera
    fitted: np.ndarray  # (N, 257) float32, each seen by its own
    lenses: np.ndarray  # (N, 4) float32 focal length, column, row and distance of that


def head_starts(folder: Path, checkpoint: Checkpoint, model_path: Path, count: int, workers: int, seed: int) -> Starts:
    """`count` synthetic heads, drawn by so many processes; those that an earlier call has left in the folder."""
    draw = partial(_drawn, model_path, checkpoint.dense_vertices)
    jobs = [(seed + start, min(CHUNK, count - start)) for start in range(0, count, CHUNK)]

    def heads() -> Iterator[Heads]:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, ignore_interrupt, (0,)) as pool:
            yield from pool.map(draw, jobs)

    return _kept(folder / "heads", count, lambda: _started(checkpoint, model_path, heads()))


def portrait_starts(
    folder: Path, checkpoint: Checkpoint, model_path: Path, portraits: Path, count: int, seed: int
) -> Starts:
    """`count` crops of real portraits, of which 68 landmarks are known.

    Raises: DatasetError; PhotoError if a photo cannot be read.
    """

    def crops() -> Iterator[Heads]:
        source = Portraits(portraits, seed)
        for start in range(0, count, CHUNK):
            images, landmarks = source.batch(min(CHUNK, count - start), CROP_SIZE)
            points = np.full((len(images), len(checkpoint.dense_vertices), 2), np.nan, np.float32)
            points[:, :68] = landmarks
            yield Heads(images, np.full((len(images), COEFFICIENT_COUNT), np.nan, np.float32), points)

    return _kept(folder / "portraits", count, lambda: _started(checkpoint, model_path, crops()))


def _drawn(model_path: Path, dense_vertices: Sequence[int], job: tuple[int, int]) -> Heads:
    """So many heads of a seed, drawn in a process of its own."""
    seed, count = job
    return HeadGenerator(read_face_model(model_path), seed, dense_vertices).draw(count)


def _started(checkpoint: Checkpoint, model_path: Path, drawn: Iterator[Heads]) -> Iterator[Starts]:
    """The same with what the checkpoint and a fit to its landmarks say of them."""
    basis = LandmarkBasis.of_vertices(read_face_model(model_path), checkpoint.dense_vertices)
    regressor = Regressor(load_runtime(checkpoint), checkpoint.info.crop_size)
    for heads in drawn:
        regression = regressor(heads.crops)
        dense = regression.dense
        assert dense is not None  # a checkpoint without has no refiner
        fit = fit_landmarks(basis, dense.points, trusted_deviation(dense.deviation), regression.coefficients)
        yield Starts(
            heads.crops,
            heads.points,
            heads.vectors,
            regression.coefficients.to_vector(),
            fit.coefficients.to_vector(),
            np.array([_lens(camera) for camera in fit.cameras], np.float32),
        )


def _lens(camera: Camera) -> tuple[float, float, float, float]:
    return camera.focal_length_px, camera.column, camera.row, camera.distance


def _kept(folder: Path, count: int, make: Callable[[], Iterator[Starts]]) -> Starts:
    """What the folder holds, once it has been made if it was not there; files appear together or not at all."""
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
