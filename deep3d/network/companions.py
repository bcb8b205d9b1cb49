"""Files of the networks that stand beside a checkpoint: safetensors with convolutions in eight bits, and metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from deep3d.errors import CheckpointInvalid, CheckpointMismatch
from deep3d.files.tensor_file import read_tensors, write_tensors
from deep3d.network.checkpoints import Checkpoint
from deep3d.network.quantization import dequantize, quantize

_SCALE = "_scale"

Shapes = Mapping[str, tuple[int, ...]]
"""The shape of every array of a network, by its name."""


@dataclass(frozen=True)
class CompanionInfo:
    """The metadata of such a file."""

    name: str
    version: str
    face_model: str  # name and version
    face_model_sha256: str
    training_data: str
    licence: str
    created: str  # ISO 8601 date


@dataclass(frozen=True)
class CompanionFile:
    """The content of such a file, with its weights as they are stored."""

    path: Path
    sha256: str
    info: CompanionInfo
    metadata: dict[str, str]  # `info` and whatever else the file states
    stored: dict[str, np.ndarray]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every weight that it holds."""
        return {name: value.shape for name, value in self.stored.items() if not name.endswith(_SCALE)}

    def weights(self, shapes: Shapes) -> dict[str, np.ndarray]:
        """The weights in float32, by name.

        Raises: CheckpointInvalid if one is missing, has another shape or is not finite.
        """
        arrays = {}
        for name in shapes.keys() & self.stored.keys():
            value, scale = self.stored[name], self.stored.get(name + _SCALE)
            if scale is not None and scale.shape != value.shape[:1]:
                raise CheckpointInvalid(f"{self.path}: {name!r} has no scale for each channel; fetch or train it again")
            arrays[name] = value.astype(np.float32) if scale is None else dequantize(value, scale)
        _require(self.path, arrays, shapes)
        return arrays


@dataclass(frozen=True)
class CompanionKind:
    """What tells the files of one kind of network from those of others."""

    noun: str  # in messages
    suffix: str  # in place of the checkpoint's
    schema: str

    def path(self, checkpoint: Checkpoint) -> Path:
        """Where the file of a checkpoint is, if it has one: beside it."""
        return checkpoint.path.with_suffix(self.suffix)

    def read(self, checkpoint: Checkpoint) -> CompanionFile | None:
        """The file beside a checkpoint, None where there is none.

        Raises: CheckpointInvalid if it is damaged, CheckpointMismatch if it belongs to another face model.
        """
        path = self.path(checkpoint)
        if not path.exists():
            return None
        try:
            file = read_tensors(path)
        except (OSError, ValueError) as error:
            message = f"{path}: damaged, or no {self.noun} ({error}); fetch or train it again"
            raise CheckpointInvalid(message) from error
        names = {field.name for field in fields(CompanionInfo)}
        if file.metadata.get("schema") != self.schema or not names <= set(file.metadata):
            raise CheckpointInvalid(f"{path}: no {self.noun} of this version; fetch or train it again")
        info = CompanionInfo(**{name: file.metadata[name] for name in names})
        if info.face_model_sha256 not in checkpoint.face_models:
            raise CheckpointMismatch(f"{path}: trained for another face model than {checkpoint.path}; train it again")
        return CompanionFile(path, file.sha256, info, file.metadata, file.arrays)

    def write(
        self,
        path: Path,
        info: CompanionInfo,
        weights: Mapping[str, np.ndarray],
        shapes: Shapes,
        others: Mapping[str, np.ndarray] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Write a file, arrays that are no weights as they are, and further metadata.

        Convolutions take eight bits and a scale for each output channel, vectors float32, other weights float16.

        Raises: CheckpointInvalid if a weight is missing, has another shape or is not finite.
        """
        _require(path, weights, shapes)
        stored = dict(others or {})
        for name, value in weights.items():
            if value.ndim == 4:
                stored[name], stored[name + _SCALE] = quantize(value)
            else:
                stored[name] = value.astype(np.float32 if value.ndim == 1 else np.float16)
        write_tensors(path, stored, {"schema": self.schema, **asdict(info), **(metadata or {})})


def _require(path: Path, arrays: Mapping[str, np.ndarray], shapes: Shapes) -> None:
    """Raises: CheckpointInvalid if an array is missing, has another shape or is not finite."""
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise CheckpointInvalid(f"{path}: {name!r} is missing, not {shape} or not finite; fetch or train it again")
