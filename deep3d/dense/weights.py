"""Files of dense networks: safetensors, convolutions in eight bits, and what they belong to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from deep3d.dense.layers import TRUNK_NAME, array_shapes
from deep3d.dense.maps import MAP_SIZE
from deep3d.errors import CheckpointInvalid, CheckpointMismatch
from deep3d.files.tensor_file import read_tensors, write_tensors
from deep3d.network.checkpoints import Checkpoint
from deep3d.network.quantization import dequantize, quantize

SCHEMA = "deep3d.dense/1"
_SCALE = "_scale"


@dataclass(frozen=True)
class DenseInfo:
    """What a dense network's file says of itself."""

    name: str
    version: str
    face_model: str  # name and version
    face_model_sha256: str
    training_data: str
    licence: str
    created: str  # ISO 8601 date


@dataclass(frozen=True)
class DenseWeights:
    """A dense network's weights, and where they come from."""

    path: Path
    sha256: str  # of the file
    checkpoint: Path  # that they belong to
    info: DenseInfo
    arrays: dict[str, np.ndarray]  # float32, by the names of `layers.array_shapes`


def dense_path(checkpoint: Checkpoint) -> Path:
    """Where the dense network that belongs to a checkpoint is, if it has one: beside it."""
    return checkpoint.path.with_suffix(".dense.safetensors")


def read_dense(checkpoint: Checkpoint) -> DenseWeights | None:
    """The dense network that lies beside a checkpoint, None where there is none.

    Raises: CheckpointInvalid if the file is damaged, CheckpointMismatch if it belongs to another face model.
    """
    path = dense_path(checkpoint)
    if not path.exists():
        return None
    try:
        file = read_tensors(path)
    except (OSError, ValueError) as error:
        raise CheckpointInvalid(f"{path}: damaged, or no dense network ({error}); fetch or train it again") from error
    names = {field.name for field in fields(DenseInfo)}
    if file.metadata.get("schema") != SCHEMA or not names <= set(file.metadata):
        raise CheckpointInvalid(f"{path}: no dense network of this version; fetch or train it again")
    info = DenseInfo(**{name: file.metadata[name] for name in names})
    if info.face_model_sha256 not in checkpoint.face_models:
        raise CheckpointMismatch(f"{path}: trained for another face model than {checkpoint.path}; train it again")
    require_trunk(checkpoint)
    return DenseWeights(path, file.sha256, checkpoint.path, info, _decoded(path, file.arrays))


def require_trunk(checkpoint: Checkpoint) -> None:
    """Raises: CheckpointMismatch if the dense network cannot stand on a checkpoint's trunk."""
    info = checkpoint.info
    if (info.trunk, info.crop_size) != (TRUNK_NAME, MAP_SIZE):
        raise CheckpointMismatch(
            f"{checkpoint.path}: {info.trunk} for crops of {info.crop_size}; "
            f"a dense network stands on {TRUNK_NAME} for crops of {MAP_SIZE}"
        )


def write_dense(path: Path, info: DenseInfo, arrays: dict[str, np.ndarray]) -> None:
    """Write a dense network: eight bits and a scale for each output channel of a convolution.

    Raises: CheckpointInvalid if an array is missing, has a wrong shape or is not finite.
    """
    _check(path, arrays)
    stored: dict[str, np.ndarray] = {}
    for name, value in arrays.items():
        if value.ndim == 4:
            stored[name], stored[name + _SCALE] = quantize(value)
        else:
            stored[name] = value.astype(np.float32)
    write_tensors(path, stored, {"schema": SCHEMA, **asdict(info)})


def _decoded(path: Path, stored: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays in float32, once all are as they should be."""
    arrays = {}
    for name in array_shapes().keys() & stored.keys():
        value, scale = stored[name], stored.get(name + _SCALE)
        if scale is not None and scale.shape != value.shape[:1]:
            raise CheckpointInvalid(f"{path}: {name!r} has no scale for each channel; fetch or train it again")
        arrays[name] = value.astype(np.float32) if scale is None else dequantize(value, scale)
    _check(path, arrays)
    return arrays


def _check(path: Path, arrays: dict[str, np.ndarray]) -> None:
    for name, shape in array_shapes().items():
        if name not in arrays or arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise CheckpointInvalid(f"{path}: {name!r} is missing, not {shape} or not finite; fetch or train it again")
