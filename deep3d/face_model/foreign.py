"""Foreign face models: the result of an importer, and its completion to a model file of this project."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deep3d.errors import FaceModelInvalid
from deep3d.face_model.completion import at_vertices, mirror_map, unwrap
from deep3d.face_model.files import write_face_model
from deep3d.face_model.transfer import transfer

IDENTITIES, EXPRESSIONS, ALBEDOS = 80, 64, 80  # components of a model file; missing ones are zero


@dataclass(frozen=True)
class ForeignModel:
    """A linear face model from its owners' files, in decimetres; x right, y up, z toward the camera."""

    name: str
    version: str
    licence: str
    source: str
    mean_shape: np.ndarray  # (V, 3) float32, the mean of its vertices at the origin
    identity_basis: np.ndarray  # (at most 80, V, 3) float32, for one standard deviation
    expression_basis: np.ndarray  # (at most 64, V, 3) float32, for coefficient 1
    mean_albedo: np.ndarray  # (V, 3) float32 RGB in [0, 1]
    albedo_basis: np.ndarray  # (at most 80, V, 3) float32, for one standard deviation
    triangles: np.ndarray  # (T, 3) int32, counter-clockwise from outside
    landmarks: Mapping[int, int]  # vertices of the landmarks that the source has; the others come from the open model
    uv: tuple[np.ndarray, np.ndarray] | None = None  # (U, 2) in [0, 1], v up, and (T, 3); None to compute an atlas


def write_foreign_model(path: str | Path, model: ForeignModel) -> None:
    """Write a face model file in float32, with all landmarks, UV atlas, mirror map and skin mask; whole or not at all.

    Raises: FaceModelInvalid if an array has the wrong shape or is not finite, ExtraMissing without xatlas.
    """
    path = Path(path)
    _require_finite(path, model)
    lent = transfer(model.mean_shape, model.triangles, model.landmarks)
    landmark_triangles, landmark_weights = at_vertices(path, lent.landmark_vertices, model.triangles)
    uv, uv_triangles = model.uv or unwrap(model.mean_shape, model.triangles)
    arrays = {
        "mean_shape": model.mean_shape,
        "mean_albedo": model.mean_albedo,
        "identity_basis": _padded(model.identity_basis, IDENTITIES),
        "expression_basis": _padded(model.expression_basis, EXPRESSIONS),
        "albedo_basis": _padded(model.albedo_basis, ALBEDOS),
        "albedo_scale": np.ones(ALBEDOS, np.float32),
        "triangles": model.triangles,
        "uv": uv,
        "uv_triangles": uv_triangles,
        "landmark_triangles": landmark_triangles,
        "landmark_weights": landmark_weights,
        "skin": lent.skin,
        "mirror": mirror_map(model.mean_shape),
    }
    metadata = {
        "name": model.name,
        "version": model.version,
        "licence": model.licence,
        "source": model.source,
        "expression_names": json.dumps([f"expression{number}" for number in range(EXPRESSIONS)]),
    }
    write_face_model(path, arrays, metadata)


def _require_finite(path: Path, model: ForeignModel) -> None:
    for name in ("mean_shape", "identity_basis", "expression_basis", "mean_albedo", "albedo_basis"):
        if not np.isfinite(getattr(model, name)).all():
            raise FaceModelInvalid(
                f"{path}: not written, {name} of {model.name} has numbers that are not finite; fetch its files again"
            )


def _padded(basis: np.ndarray, count: int) -> np.ndarray:
    """(count, V, 3): padded with zero components."""
    return np.concatenate([basis, np.zeros((count - len(basis), *basis.shape[1:]), basis.dtype)])
