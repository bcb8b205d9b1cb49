"""Checkpoint files: safetensors with Deep3DFaceRecon's names, as trained or in eight bits, and their metadata."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from deep3d.camera import CROP_SIZE
from deep3d.errors import CheckpointInvalid, CheckpointMismatch, CheckpointMissing
from deep3d.face_model.model import ModelInfo
from deep3d.files.assets import asset
from deep3d.files.tensor_file import read_tensors, write_tensors
from deep3d.network.architecture import DENSE_VERTICES, TRUNKS
from deep3d.network.binding import Binding, read_binding
from deep3d.network.quantization import dequantize, fold_batch_norms, neutral_batch_norms, quantize

SCHEMA = "deep3d.checkpoint/1"
DEFAULT_CHECKPOINT = "deep3d_resnet50.safetensors"
STORAGES = ("float32", "float16", "int8")
_SCALE = "_scale"  # suffix of the name of an int8 weight for its (output channels,) float32 scales


@dataclass(frozen=True)
class CheckpointInfo:
    """The metadata of a checkpoint file."""

    name: str
    version: str
    trunk: str  # a key of resnet.TRUNKS
    face_model: str  # name and version of the face model whose coefficients it predicts
    face_model_sha256: str
    training_data: str
    accuracy: dict[str, float]  # measured, by name of the measure with its unit
    licence: str
    created: str  # ISO 8601 date
    crop_size: int = CROP_SIZE  # pixels a side that the network was trained at: the crop's, or a whole fraction of them


@dataclass(frozen=True)
class Checkpoint:
    """A regressor's weights, and where they come from."""

    path: Path
    sha256: str  # of the file
    storage: str  # one of STORAGES
    info: CheckpointInfo
    binding: Binding | None  # to a later face model
    stored: dict[str, np.ndarray]  # as stored: with storage int8, an array of scales for each weight

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """The complete state dict in Deep3DFaceRecon's order, in float32, and then dense.vertices."""
        implied = neutral_batch_norms(TRUNKS[self.info.trunk]) if self.storage == "int8" else {}
        shapes = TRUNKS[self.info.trunk].tensor_shapes(len(self.dense_vertices))
        return {name: implied[name] if name in implied else self.array(name) for name in shapes}

    def array(self, name: str) -> np.ndarray:
        """One of the file's arrays in float32; whole numbers in int64.

        Raises: CheckpointInvalid if it is not there, as after `without_weights`.
        """
        if (rounded := self.quantized(name)) is not None:
            return dequantize(*rounded)
        if name not in self.stored:
            raise CheckpointInvalid(f"{self.path}: {name} was not kept; read_checkpoint reads all weights of the file")
        value = self.stored[name]
        return value.astype(np.int64 if value.dtype.kind == "i" else np.float32, copy=False)

    def quantized(self, name: str) -> tuple[np.ndarray, np.ndarray] | None:
        """A weight's int8 levels and (output channels,) scales, if the file has them."""
        scale = self.stored.get(name + _SCALE)
        return None if scale is None else (self.stored[name], scale)

    @property
    def dense_vertices(self) -> tuple[int, ...]:
        """The vertices of the face model that are its dense landmarks; none in Deep3D's own checkpoints."""
        return tuple(int(vertex) for vertex in self.stored.get(DENSE_VERTICES, ()))

    def folded(self) -> Checkpoint:
        """The same function in evaluation, with batch norms that only add their bias."""
        if self.storage == "int8":
            return self
        folded = fold_batch_norms(TRUNKS[self.info.trunk], self.arrays)
        return replace(self, storage="float32", stored=folded)

    def without_weights(self) -> Checkpoint:
        """The checkpoint without weights, for metadata only: a loaded network has its own copy."""
        return replace(self, stored={name: value for name, value in self.stored.items() if name == DENSE_VERTICES})

    @property
    def face_models(self) -> tuple[str, ...]:
        """SHA-256 of the face models that it is valid for: the one of its training, and one it is bound to."""
        bound = () if self.binding is None else (self.binding.face_model_sha256,)
        return self.info.face_model_sha256, *bound

    def require_model(self, model: ModelInfo) -> None:
        """Raises: CheckpointMismatch if the checkpoint was neither trained for a face model nor bound to it."""
        if model.sha256 not in self.face_models:
            self.require_trained_for(model)

    def require_trained_for(self, model: ModelInfo) -> None:
        """Raises: CheckpointMismatch if the checkpoint was trained for another face model."""
        if model.sha256 != self.info.face_model_sha256:
            raise CheckpointMismatch(
                f"{self.path}: trained for face model {self.info.face_model} ({self.info.face_model_sha256[:12]}), "
                f"not for {model.name} {model.version} ({model.sha256[:12]}); choose the two that belong together"
            )

    def still_landmarks(self, model: ModelInfo) -> tuple[int, ...]:
        """Numbers of the dense landmarks that no expression moved in the network's training."""
        if self.binding is None or model.sha256 != self.binding.face_model_sha256:
            return ()
        return self.binding.still


def read_checkpoint(path: str | Path | None = None) -> Checkpoint:
    """Read a checkpoint file (None for the shipped one).

    Raises: CheckpointMissing, CheckpointInvalid.
    """
    path = asset("checkpoints", DEFAULT_CHECKPOINT) if path is None else Path(path)
    try:
        file = read_tensors(path)
    except OSError as error:
        raise CheckpointMissing(
            f"{path}: no checkpoint there ({error.strerror}); checkpoints/README.md says where to get it"
        ) from error
    except ValueError as error:
        raise CheckpointInvalid(f"{path}: damaged, or not a checkpoint ({error}); fetch or train it again") from error
    info, storage = _parse_metadata(path, file.metadata)
    _check_stored(path, info.trunk, storage, file.arrays)
    binding = read_binding(path, file.sha256)
    return Checkpoint(path, file.sha256, storage, info, binding, file.arrays)


def write_checkpoint(
    path: str | Path, info: CheckpointInfo, arrays: dict[str, np.ndarray], storage: str = "float32"
) -> None:
    """Write a regressor's complete state dict.

    float32 loses nothing. float16 halves the weights. int8 folds the batch norms into the convolutions, gives each
    of their output channels eight bits and a scale, and keeps the heads in float16.

    Raises: CheckpointInvalid if an array is missing, has the wrong shape or is not finite.
    """
    path = Path(path)
    if storage not in STORAGES:
        raise CheckpointInvalid(f"{path}: storage {storage!r} is unknown, choose one of {', '.join(STORAGES)}")
    if info.trunk not in TRUNKS:
        raise CheckpointInvalid(f"{path}: trunk {info.trunk!r} is unknown, choose one of {', '.join(TRUNKS)}")
    if info.crop_size < 32 or CROP_SIZE % info.crop_size:
        raise CheckpointInvalid(f"{path}: crop_size {info.crop_size} does not divide {CROP_SIZE}; choose one that does")
    arrays = checked_arrays(path, info.trunk, arrays)
    metadata = {"schema": SCHEMA, "storage": storage, **asdict(info)}
    metadata |= {"accuracy": json.dumps(info.accuracy), "crop_size": str(info.crop_size)}
    write_tensors(path, _encoded(info.trunk, arrays, storage), metadata)


def _encoded(trunk: str, arrays: dict[str, np.ndarray], storage: str) -> dict[str, np.ndarray]:
    if storage == "float32":
        return arrays
    if storage == "float16":
        return {name: value.astype(np.float16) if value.ndim == 4 else value for name, value in arrays.items()}
    stored: dict[str, np.ndarray] = {}
    implied = neutral_batch_norms(TRUNKS[trunk]).keys()
    for name, value in fold_batch_norms(TRUNKS[trunk], arrays).items():
        if name in implied:
            continue
        if value.ndim < 4:
            stored[name] = value
        elif name.startswith("final_layers"):
            stored[name] = value.astype(np.float16)
        else:
            stored[name], stored[name + _SCALE] = quantize(value)
    return stored


def _parse_metadata(path: Path, metadata: dict[str, str]) -> tuple[CheckpointInfo, str]:
    if metadata.get("schema") != SCHEMA:
        raise CheckpointInvalid(f"{path}: schema {metadata.get('schema')!r}, this version reads {SCHEMA!r}")
    names = [field.name for field in fields(CheckpointInfo)]
    missing = {"storage", *names} - set(metadata)
    if missing:
        raise CheckpointInvalid(f"{path}: metadata lacks {', '.join(sorted(missing))}; write the checkpoint again")
    if metadata["storage"] not in STORAGES or metadata["trunk"] not in TRUNKS:
        raise CheckpointInvalid(
            f"{path}: storage {metadata['storage']!r} or trunk {metadata['trunk']!r} is unknown to this version"
        )
    try:
        accuracy = json.loads(metadata["accuracy"])
    except ValueError as error:
        raise CheckpointInvalid(f"{path}: metadata 'accuracy' is not JSON; write the checkpoint again") from error
    crop_size = int(metadata["crop_size"]) if metadata["crop_size"].isdigit() else 0
    if crop_size < 32 or CROP_SIZE % crop_size:
        raise CheckpointInvalid(
            f"{path}: crop_size {metadata['crop_size']!r} does not divide {CROP_SIZE}; write the checkpoint again"
        )
    texts = {name: metadata[name] for name in names if name not in ("accuracy", "crop_size")}
    return CheckpointInfo(**texts, accuracy=accuracy, crop_size=crop_size), metadata["storage"]


def _check_stored(path: Path, trunk: str, storage: str, stored: dict[str, np.ndarray]) -> None:
    """Check that no stored array is missing, unknown, of a wrong shape or not finite."""
    scales = {name for name in stored if name.endswith(_SCALE)}
    implied = neutral_batch_norms(TRUNKS[trunk]) if storage == "int8" else {}
    checked_arrays(path, trunk, implied | {name: value for name, value in stored.items() if name not in scales})
    rounded = {name for name, value in stored.items() if value.dtype == np.int8}
    for name in rounded | {scale.removesuffix(_SCALE) for scale in scales}:
        scale = stored.get(name + _SCALE)
        if (
            name not in rounded
            or scale is None
            or scale.shape != stored[name].shape[:1]
            or not np.isfinite(scale).all()
        ):
            raise CheckpointInvalid(
                f"{path}: {name!r} has no finite scale for each channel; write the checkpoint again"
            )


def checked_arrays(path: Path, trunk: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of a file in the state dict's order, checked to be complete, of the right shape and finite.

    Raises: CheckpointInvalid naming the file and the array.
    """
    shapes = TRUNKS[trunk].tensor_shapes(dense=len(arrays.get(DENSE_VERTICES, ())))
    for wrong, what in [(shapes.keys() - arrays.keys(), "is missing"), (arrays.keys() - shapes.keys(), "is foreign")]:
        if wrong:
            raise CheckpointInvalid(
                f"{path}: array {min(wrong)!r} {what} for trunk {trunk}; write the checkpoint again"
            )
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise CheckpointInvalid(f"{path}: {name!r} is {arrays[name].shape}, trunk {trunk} needs {shape}")
        if not np.isfinite(arrays[name]).all():
            raise CheckpointInvalid(f"{path}: {name!r} has numbers that are not finite; train or fetch it again")
    return {name: arrays[name] for name in shapes}
