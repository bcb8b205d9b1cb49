"""Bindings: records beside a checkpoint's file that its outputs are valid for a later face model.

A face model can change where the networks do not see it, such as inside the mouth. Their predictions then mean the same
with the new file as with the one they were trained for; `rebind` checks that.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from deep3d.errors import CheckpointInvalid, CheckpointMismatch
from deep3d.face_model.model import FaceModel

SCHEMA = "deep3d.binding/1"
TOLERANCE = 1e-4  # decimetres, 10 micrometres: of the mean shape, and of each component at one unit
SEEN = 0.5  # of the skin mask, from which the networks see the surface


@dataclass(frozen=True)
class Binding:
    """A record that a checkpoint may be used with a face model that it was not trained for."""

    checkpoint_sha256: str
    face_model: str  # name and version
    face_model_sha256: str
    still: tuple[int, ...]
    """Numbers of the dense landmarks that expressions move in this model, but not in the networks' training."""


def binding_path(checkpoint: Path) -> Path:
    """The path of the record of a checkpoint's file."""
    return checkpoint.with_suffix(".binding.json")


def read_binding(checkpoint: Path, sha256: str) -> Binding | None:
    """The record of a checkpoint's file with that hash; None if there is none, or it is for another file.

    Raises: CheckpointInvalid if it cannot be read.
    """
    path = binding_path(checkpoint)
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        texts = {name: str(content[name]) for name in ("checkpoint_sha256", "face_model", "face_model_sha256")}
        binding = Binding(**texts, still=tuple(int(number) for number in content["still"]))
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointInvalid(f"{path}: damaged ({error}); write it again by deep3d checkpoint rebind") from error
    return binding if binding.checkpoint_sha256 == sha256 else None


def write_binding(checkpoint: Path, binding: Binding) -> Path:
    """Write the record beside a checkpoint's file; gives its path."""
    path = binding_path(checkpoint)
    path.write_text(json.dumps({"schema": SCHEMA, **asdict(binding)}, indent=1) + "\n", encoding="utf-8")
    return path


def rebind(checkpoint_sha256: str, dense_vertices: Sequence[int], trained_for: FaceModel, new: FaceModel) -> Binding:
    """The record that allows a checkpoint, trained for one face model, to be used with another.

    Vertices may only have been appended; mean, components and albedo of all skin that the networks see must be the
    same, and so must the landmarks. A dense landmark off the skin may get expressions where it had none: an iris.

    Raises: CheckpointMismatch saying what differs.
    """
    count = len(trained_for.mean_shape)
    pairs = [(trained_for.landmark_weights, new.landmark_weights), (trained_for.expression_names, new.expression_names)]
    if len(new.mean_shape) < count or any(not np.array_equal(old, later) for old, later in pairs):
        raise _mismatch(new, "vertices are missing, or landmarks or expressions differ")
    if not np.array_equal(_landmark_corners(trained_for), _landmark_corners(new)):
        raise _mismatch(new, "landmarks lie on other vertices")
    if np.abs(new.mean_shape[:count] - trained_for.mean_shape).max() > TOLERANCE:
        raise _mismatch(new, "the mean shape of its first vertices moves")
    seen = np.union1d(np.flatnonzero(trained_for.skin >= SEEN), np.asarray(dense_vertices, np.int64))
    for name in ("identity_basis", "albedo_basis"):
        if _change(getattr(trained_for, name), getattr(new, name), seen).max() > TOLERANCE:
            raise _mismatch(new, f"{name} differs on the skin")
    moved = seen[_change(trained_for.expression_basis, new.expression_basis, seen).max(axis=0) > TOLERANCE]
    expressions = _at(trained_for.expression_basis, moved)
    free = (trained_for.skin[moved] < SEEN) & (np.abs(expressions).max(axis=(0, 2), initial=0) <= TOLERANCE)
    if not free.all():
        raise _mismatch(new, f"expressions move {(~free).sum()} vertices of the skin differently")
    still = tuple(number for number, vertex in enumerate(dense_vertices) if vertex in set(moved.tolist()))
    return Binding(checkpoint_sha256, f"{new.info.name} {new.info.version}", new.info.sha256, still)


def _landmark_corners(model: FaceModel) -> np.ndarray:
    return model.triangles[model.landmark_triangles]


def _at(basis: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """(K, P, 3) of a (K, V * 3) basis at some vertices."""
    return basis.reshape(len(basis), -1, 3)[:, vertices]


def _change(old: np.ndarray, new: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """(K, P) difference of each component of two bases at vertices."""
    return np.abs(_at(new, vertices) - _at(old, vertices)).max(axis=2)


def _mismatch(new: FaceModel, reason: str) -> CheckpointMismatch:
    return CheckpointMismatch(
        f"{new.info.name} {new.info.version}: {reason}; the checkpoint's outputs would not be valid, train it for this "
        "model"
    )
