"""What a dense network learns from: synthetic heads, the truth of their pixels, and the mesh that was fitted to them.

The mesh is the one that the network will see in use: what is left over of depth after a fit is not what a regressor
leaves, nor a part of it. Heads are drawn and fitted once, into files of the run's folder, each with the heads of one
seed, for that takes several times as long as learning from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deep3d.camera import Camera
from deep3d.coefficients import FaceCoefficients
from deep3d.dense.estimator import mesh_maps
from deep3d.dense.maps import SurfaceMaps, reduced
from deep3d.errors import ConfigError
from deep3d.face_model import FaceModel
from deep3d.files.whole_file import written_whole
from deep3d.network.checkpoints import Checkpoint
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.synthetic.mapped_heads import Displace, MappedHeadGenerator
from deep3d.synthetic.people.free_shapes import FreeShapes
from deep3d.training.helpers import ahead, helping_processes

FILE = 256  # heads in one file
_CHUNK = 32  # drawn at a time

Fit = Callable[[np.ndarray], tuple[FaceCoefficients, tuple[Camera, ...]]]
"""Faces of crops (B, 224, 224, 3), and the camera of each: `Reconstructor.fit_crops`."""

STEPS = np.array([1e-4] + [1 / 127] * 3 + [1e-4] * 3, np.float32)
"""Unit of the stored heights, normals and places, in decimetres or for unit vectors."""


def surface_fields(size: int, prefix: str = "") -> list[tuple[str, type, tuple[int, ...]]]:
    """The stored maps of a surface, `size` pixels a side, for a dtype."""
    kinds = (("height", np.int16, ()), ("normals", np.int8, (3,)), ("coordinates", np.int16, (3,)))
    return [(prefix + name, kind, (size, size, *more)) for name, kind, more in kinds]


def example_type(size: int) -> np.dtype:
    """One stored head, `size` pixels a side: the crop, the ground truth, and the start mesh."""
    return np.dtype(
        [
            ("crop", np.uint8, (size, size, 3)),
            ("classes", np.uint8, (size, size)),  # visible class
            ("head", np.bool_, (size, size)),  # the head, visible or not
            *surface_fields(size),
            ("start_covered", np.bool_, (size, size)),
            *surface_fields(size, "start_"),
        ]
    )


def read_examples(path: Path, kind: np.dtype) -> np.ndarray:
    """(N,) of a stored type, mapped into memory.

    Raises: ConfigError if the file holds heads of another size.
    """
    stored = np.load(path, mmap_mode="r")
    if stored.dtype != kind:
        raise ConfigError(f"{path}: drawn for a network with maps of another size; choose another folder for the run")
    return stored


@dataclass(frozen=True)
class Examples:
    """Files of heads, mapped into memory."""

    files: tuple[np.ndarray, ...]  # each (256,) of `example_type`

    @classmethod
    def made(
        cls, folder: Path, size: int, count: int, seed: int, start: Checkpoint, model_path: Path, workers: int
    ) -> Examples:
        """At least `count` heads in maps of this size: those in the folder, and newly rendered ones if needed.

        Raises: ConfigError if those in the folder have another size; FaceModelError; CheckpointError;
        RuntimeUnavailable.
        """
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"heads_{number:05d}.npy" for number in range(-(-count // FILE))]
        missing = [(path, number) for number, path in enumerate(paths) if not path.exists()]
        if missing:
            with helping_processes(workers) as pool:
                jobs = (
                    pool.submit(_write, path, size, start.path, model_path, seed + number) for path, number in missing
                )
                for job in ahead(jobs, 2 * workers):
                    job.result()
        return cls(tuple(read_examples(path, example_type(size)) for path in paths))

    def batch(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """(B,) heads, drawn evenly."""
        rows = [self.files[file] for file in rng.integers(0, len(self.files), count)]
        return np.array([file[rng.integers(0, len(file))] for file in rows])


def draw_examples(
    model: FaceModel, fit: Fit, displace: Displace, size: int, seed: int, count: int
) -> Iterator[np.ndarray]:
    """Chunks (32,) of `example_type`: heads, and the meshes that are fitted to them."""
    generator = MappedHeadGenerator(model, seed, displace, size)
    for first in range(0, count, _CHUNK):
        heads = generator.draw_mapped(min(_CHUNK, count - first))
        start = mesh_maps(model, *fit(heads.crops), size)
        chunk = np.empty(len(heads.crops), example_type(size))
        chunk["crop"] = reduced(heads.crops, size)
        chunk["classes"], chunk["head"] = heads.classes, heads.maps.covered
        chunk["start_covered"] = start.covered
        keep_surface(chunk, "", heads.maps)
        keep_surface(chunk, "start_", start)
        yield chunk


def kept_surface(examples: np.ndarray, prefix: str = "") -> np.ndarray:
    """(B, S, S, 7) float32 heights, normals and places of (B,) examples: the truth, or the mesh's with "start_"."""
    parts = (examples[f"{prefix}height"][..., None], examples[f"{prefix}normals"], examples[f"{prefix}coordinates"])
    return np.concatenate(parts, axis=-1, dtype=np.float32) * STEPS


def keep_surface(chunk: np.ndarray, prefix: str, maps: SurfaceMaps) -> None:
    """Store maps in fields of (B,) examples whose names begin with the prefix."""
    values = np.concatenate([maps.height[..., None], maps.normals, maps.coordinates], axis=-1) / STEPS
    values = np.rint(values).clip(-32767, 32767)
    chunk[f"{prefix}height"], chunk[f"{prefix}normals"] = values[..., 0], values[..., 1:4]
    chunk[f"{prefix}coordinates"] = values[..., 4:]


def _write(path: Path, size: int, checkpoint: Path, model_path: Path, seed: int) -> None:
    """One file of heads of a seed."""
    reconstructor = Reconstructor.load(checkpoint, model_path, threads=1)
    model = reconstructor.face_model
    chunks = draw_examples(model, reconstructor.fit_crops, FreeShapes.of(model).draw, size, 1000 * seed, FILE)
    with written_whole(path) as partial, partial.open("wb") as file:
        np.save(file, np.concatenate(list(chunks)))
