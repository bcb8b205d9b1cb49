"""Files of refiner networks, and what they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deep3d.errors import CheckpointMismatch
from deep3d.network.checkpoints import Checkpoint
from deep3d.network.companions import CompanionInfo, CompanionKind
from deep3d.refiner.layers import array_shapes

REFINER_FILES = CompanionKind("refiner", ".refiner.safetensors", "deep3d.refiner/2")
_VERTICES = "vertices"


@dataclass(frozen=True)
class RefinerWeights:
    """A refiner network's weights, and where they come from."""

    path: Path
    sha256: str  # of the file
    checkpoint: Path  # that they belong to
    info: CompanionInfo
    vertices: tuple[int, ...]  # of the face model that its landmarks are
    arrays: dict[str, np.ndarray]  # float32, by the names of `layers.array_shapes`


def refiner_path(checkpoint: Checkpoint) -> Path:
    """Where the refiner that belongs to a checkpoint is, if it has one: beside it."""
    return REFINER_FILES.path(checkpoint)


def read_refiner(checkpoint: Checkpoint) -> RefinerWeights | None:
    """The refiner that lies beside a checkpoint, None where there is none.

    Raises: CheckpointInvalid if the file is damaged, CheckpointMismatch if it belongs to other landmarks or another
    face model.
    """
    file = REFINER_FILES.read(checkpoint)
    if file is None:
        return None
    vertices = tuple(int(vertex) for vertex in file.stored.get(_VERTICES, ()))
    if vertices != checkpoint.dense_vertices:
        message = f"{file.path}: trained for other landmarks than those of {checkpoint.path}; train it again"
        raise CheckpointMismatch(message)
    arrays = file.weights(array_shapes(len(vertices)))
    return RefinerWeights(file.path, file.sha256, checkpoint.path, file.info, vertices, arrays)


def write_refiner(path: Path, info: CompanionInfo, vertices: tuple[int, ...], arrays: dict[str, np.ndarray]) -> None:
    """Write a refiner: eight bits and a scale for each output channel of a convolution, float16 for other weights.

    Raises: CheckpointInvalid if an array is missing, has a wrong shape or is not finite.
    """
    REFINER_FILES.write(path, info, arrays, array_shapes(len(vertices)), {_VERTICES: np.array(vertices, np.int32)})
