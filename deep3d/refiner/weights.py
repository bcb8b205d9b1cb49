"""Files of refiner networks: safetensors, convolutions in eight bits, and what they belong to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from deep3d.errors import CheckpointInvalid, CheckpointMismatch
from deep3d.files.tensor_file import read_tensors, write_tensors
from deep3d.network.checkpoints import Checkpoint
from deep3d.network.quantization import dequantize, quantize
from deep3d.refiner.layers import array_shapes

SCHEMA = "deep3d.refiner/2"
_VERTICES, _SCALE = "vertices", "_scale"


@dataclass(frozen=True)
class RefinerInfo:
    """What a refiner's file says of itself."""

    name: str
    version: str
    face_model: str  # name and version
    face_model_sha256: str
    training_data: str
    licence: str
    created: str  # ISO 8601 date


@dataclass(frozen=True)
class RefinerWeights:
    """A refiner network's weights, and where they come from."""

    path: Path
    sha256: str  # of the file
    checkpoint: Path  # that they belong to
    info: RefinerInfo
    vertices: tuple[int, ...]  # of the face model that its landmarks are
    arrays: dict[str, np.ndarray]  # float32, by the names of `layers.array_shapes`


def refiner_path(checkpoint: Checkpoint) -> Path:
    """Where the refiner that belongs to a checkpoint is, if it has one: beside it."""
    return checkpoint.path.with_suffix(".refiner.safetensors")


def read_refiner(checkpoint: Checkpoint) -> RefinerWeights | None:
    """The refiner that lies beside a checkpoint, None where there is none.

    Raises: CheckpointInvalid if the file is damaged, CheckpointMismatch if it belongs to other landmarks or another
    face model.
    """
    path = refiner_path(checkpoint)
    if not path.exists():
        return None
    try:
        file = read_tensors(path)
    except (OSError, ValueError) as error:
        raise CheckpointInvalid(f"{path}: damaged, or no refiner ({error}); fetch or train it again") from error
    names = {field.name for field in fields(RefinerInfo)}
    if file.metadata.get("schema") != SCHEMA or not names <= set(file.metadata):
        raise CheckpointInvalid(f"{path}: no refiner of this version; fetch or train it again")
    info = RefinerInfo(**{name: file.metadata[name] for name in names})
    vertices = tuple(int(vertex) for vertex in file.arrays.get(_VERTICES, ()))
    if info.face_model_sha256 not in checkpoint.face_models or vertices != checkpoint.dense_vertices:
        raise CheckpointMismatch(f"{path}: trained for other landmarks than those of {checkpoint.path}; train it again")
    arrays = _decoded(path, file.arrays, len(vertices))
    return RefinerWeights(path, file.sha256, checkpoint.path, info, vertices, arrays)


def write_refiner(path: Path, info: RefinerInfo, vertices: tuple[int, ...], arrays: dict[str, np.ndarray]) -> None:
    """Write a refiner: eight bits and a scale for each output channel of a convolution, float16 for other weights.

    Raises: CheckpointInvalid if an array is missing, has a wrong shape or is not finite.
    """
    _check(path, arrays, len(vertices))
    stored: dict[str, np.ndarray] = {_VERTICES: np.array(vertices, np.int32)}
    for name, value in arrays.items():
        if value.ndim == 4:
            stored[name], stored[name + _SCALE] = quantize(value)
        else:
            stored[name] = value.astype(np.float32 if value.ndim == 1 else np.float16)
    write_tensors(path, stored, {"schema": SCHEMA, **asdict(info)})


def _decoded(path: Path, stored: dict[str, np.ndarray], landmarks: int) -> dict[str, np.ndarray]:
    """The arrays in float32, once all are as they should be."""
    arrays = {}
    for name in array_shapes(landmarks).keys() & stored.keys():
        value, scale = stored[name], stored.get(name + _SCALE)
        if scale is not None and scale.shape != value.shape[:1]:
            raise CheckpointInvalid(f"{path}: {name!r} has no scale for each channel; fetch or train it again")
        arrays[name] = value.astype(np.float32) if scale is None else dequantize(value, scale)
    _check(path, arrays, landmarks)
    return arrays


def _check(path: Path, arrays: dict[str, np.ndarray], landmarks: int) -> None:
    for name, shape in array_shapes(landmarks).items():
        if name not in arrays or arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise CheckpointInvalid(f"{path}: {name!r} is missing, not {shape} or not finite; fetch or train it again")
