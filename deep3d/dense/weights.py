"""Files of dense networks, and what they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deep3d.dense.architecture import SLIM, TRUNK_NAME, Architecture, UNet, from_metadata, to_metadata
from deep3d.dense.layers import array_shapes
from deep3d.dense.maps import MAP_SIZE
from deep3d.errors import CheckpointInvalid, CheckpointMismatch
from deep3d.network.checkpoints import Checkpoint
from deep3d.network.companions import CompanionInfo, CompanionKind

DENSE_FILES = CompanionKind("dense network", ".dense.safetensors", "deep3d.dense/2")
_ARCHITECTURE = "architecture"  # metadata; files without it hold a `SLIM` one


@dataclass(frozen=True)
class DenseWeights:
    """A dense network's weights, and where they come from."""

    path: Path
    sha256: str  # of the file
    checkpoint: Path  # that they belong to
    info: CompanionInfo
    architecture: Architecture
    arrays: dict[str, np.ndarray]  # float32, by the names of `layers.array_shapes` or of `dpt.DptNetwork`


def dense_path(checkpoint: Checkpoint) -> Path:
    """Where the dense network that belongs to a checkpoint is, if it has one: beside it."""
    return DENSE_FILES.path(checkpoint)


def read_dense(checkpoint: Checkpoint) -> DenseWeights | None:
    """The dense network that lies beside a checkpoint, None where there is none.

    Raises: CheckpointInvalid if the file is damaged, CheckpointMismatch if it belongs to another face model or the
    checkpoint has another trunk than its network needs.
    """
    file = DENSE_FILES.read(checkpoint)
    if file is None:
        return None
    try:
        stated = file.metadata.get(_ARCHITECTURE)
        architecture = SLIM if stated is None else from_metadata(stated)
    except ValueError as error:
        raise CheckpointInvalid(f"{file.path}: {error}; fetch or train it again") from error
    shapes = file.shapes
    if isinstance(architecture, UNet):
        require_trunk(checkpoint)
        shapes = array_shapes(architecture)
    return DenseWeights(file.path, file.sha256, checkpoint.path, file.info, architecture, file.weights(shapes))


def require_trunk(checkpoint: Checkpoint) -> None:
    """Raises: CheckpointMismatch if a U-Net cannot stand on a checkpoint's trunk."""
    info = checkpoint.info
    if (info.trunk, info.crop_size) != (TRUNK_NAME, MAP_SIZE):
        raise CheckpointMismatch(
            f"{checkpoint.path}: {info.trunk} for crops of {info.crop_size}; "
            f"a dense network stands on {TRUNK_NAME} for crops of {MAP_SIZE}"
        )


def write_dense(path: Path, info: CompanionInfo, architecture: Architecture, arrays: dict[str, np.ndarray]) -> None:
    """Write a dense network: eight bits and a scale for each output channel of a convolution.

    Raises: CheckpointInvalid if an array is missing, has a wrong shape or is not finite.
    """
    known = {name: array.shape for name, array in arrays.items()}
    shapes = array_shapes(architecture) if isinstance(architecture, UNet) else known
    DENSE_FILES.write(path, info, arrays, shapes, metadata={_ARCHITECTURE: to_metadata(architecture)})
