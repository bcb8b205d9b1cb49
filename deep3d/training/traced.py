"""Files of path-traced heads, which `checkpoints/path_traced/heads.py` makes and `deep3d train refiner` reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from deep3d.camera import CROP_SIZE
from deep3d.coefficients import COEFFICIENT_COUNT
from deep3d.errors import DatasetError
from deep3d.files.whole_file import written_whole

CHUNK = 64  # heads in a file
_NAME = re.compile(r"heads_\d{5}\.npz")


@dataclass(frozen=True)
class TracedHeads:
    """B photos of heads whose shapes may leave the linear model, and their labels."""

    crops: np.ndarray  # (B, 224, 224, 3) uint8
    vectors: np.ndarray  # (B, 257) float32 coefficient vectors of the linear part, NaN where unknown
    points: np.ndarray  # (B, N, 2) float32 true crop pixels of the dense landmarks, including hidden ones
    visible: np.ndarray  # (B, N) bool: nothing hides the landmark


def traced_file(folder: Path, number: int) -> Path:
    """The path of a folder's file of this number."""
    return folder / f"heads_{number:05d}.npz"


def write_traced(path: Path, heads: TracedHeads) -> None:
    """Write a file; it appears complete or not at all."""
    with written_whole(path) as partial:
        np.savez_compressed(partial, **{field.name: getattr(heads, field.name) for field in fields(TracedHeads)})


@dataclass(frozen=True)
class TracedFolder:
    """The files of a folder, in the order of their numbers."""

    paths: tuple[Path, ...]

    @classmethod
    def at(cls, folder: Path) -> TracedFolder:
        """Find the files.

        Raises: DatasetError if there are none.
        """
        paths = sorted(path for path in folder.glob("heads_*.npz") if _NAME.fullmatch(path.name))
        if not paths:
            raise DatasetError(f"{folder}: no heads_*.npz in it; make some with checkpoints/path_traced/heads.py")
        return cls(tuple(paths))

    @property
    def count(self) -> int:
        """The number of heads."""
        return len(self.paths) * CHUNK

    def read(self, dense: int) -> Iterator[TracedHeads]:
        """Each file's heads, with labels of `dense` landmarks.

        Raises: DatasetError if a file is damaged, or its labels are of other landmarks.
        """
        return (_read(path, dense) for path in self.paths)


def _read(path: Path, dense: int) -> TracedHeads:
    try:
        with np.load(path, allow_pickle=False) as file:
            heads = TracedHeads(*(file[field.name] for field in fields(TracedHeads)))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DatasetError(f"{path}: not a file of path-traced heads ({error}); delete it and make it again") from error
    wanted = (CHUNK, CROP_SIZE, CROP_SIZE, 3), (CHUNK, COEFFICIENT_COUNT), (CHUNK, dense, 2), (CHUNK, dense)
    for field, shape in zip(fields(TracedHeads), wanted, strict=True):
        found = getattr(heads, field.name).shape
        if found != shape:
            raise DatasetError(f"{path}: '{field.name}' is {found}, not {shape}; make it again for this checkpoint")
    return heads
