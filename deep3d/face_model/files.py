"""Face model files: safetensors with metadata, half-precision shapes and eight-bit albedo components."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deep3d.errors import FaceModelInvalid, FaceModelMissing
from deep3d.face_model.components import Components
from deep3d.face_model.model import FaceModel, ModelInfo
from deep3d.files.assets import asset
from deep3d.files.tensor_file import read_tensors, write_tensors
from deep3d.mesh import vertex_triangles

SCHEMA = "deep3d.face_model/1"
OPEN_MODEL = "open_face_model.safetensors"


@dataclass(frozen=True)
class _Field:
    """The requirements of one array of a face model file; letters in the shape are sizes that must agree."""

    shape: tuple[str | int, ...]
    kind: str  # numpy dtype kinds that are accepted


_FIELDS = {
    "mean_shape": _Field(("V", 3), "f"),
    "mean_albedo": _Field(("V", 3), "f"),
    "identity_basis": _Field((80, "V", 3), "f"),
    "expression_basis": _Field((64, "V", 3), "f"),
    "albedo_basis": _Field((80, "V", 3), "fi"),
    "albedo_scale": _Field((80,), "f"),
    "triangles": _Field(("T", 3), "iu"),
    "uv": _Field(("U", 2), "f"),
    "uv_triangles": _Field(("T", 3), "iu"),
    "landmark_triangles": _Field((68,), "iu"),
    "landmark_weights": _Field((68, 3), "f"),
    "skin": _Field(("V",), "u"),
    "mirror": _Field(("V",), "iu"),
}


def default_face_model() -> FaceModel:
    """The shipped open face model."""
    return read_face_model()


def read_face_model(path: str | Path | None = None) -> FaceModel:
    """Read a face model file (None for the shipped open model).

    Raises: FaceModelMissing, FaceModelInvalid.
    """
    path = asset("bfm", OPEN_MODEL) if path is None else Path(path)
    try:
        file = read_tensors(path)
    except OSError as error:
        raise FaceModelMissing(f"{path}: no face model there ({error.strerror}); see bfm/README.md") from error
    except ValueError as error:
        raise FaceModelInvalid(f"{path}: damaged face model file ({error}); fetch or build it again") from error
    arrays, metadata = file.arrays, _checked_metadata(path, file.metadata)
    sizes = _check(path, arrays)
    triangles = arrays["triangles"].astype(np.int32)
    return FaceModel(
        info=ModelInfo(
            name=metadata["name"],
            version=metadata["version"],
            licence=metadata["licence"],
            source=metadata["source"],
            sha256=file.sha256,
        ),
        mean_shape=arrays["mean_shape"].astype(np.float32),
        mean_albedo=arrays["mean_albedo"].astype(np.float32),
        identity_components=_components(arrays["identity_basis"]),
        expression_components=_components(arrays["expression_basis"]),
        albedo_components=_components(arrays["albedo_basis"], arrays["albedo_scale"]),
        triangles=triangles,
        adjacency=vertex_triangles(triangles, sizes["V"]),
        uv=arrays["uv"].astype(np.float32),
        uv_triangles=arrays["uv_triangles"].astype(np.int32),
        landmark_triangles=arrays["landmark_triangles"].astype(np.int32),
        landmark_weights=arrays["landmark_weights"].astype(np.float32),
        skin=arrays["skin"].astype(np.float32) / 255,
        mirror=arrays["mirror"].astype(np.int32),
        expression_names=_expression_names(path, metadata["expression_names"]),
    )


def write_face_model(path: str | Path, arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Write the arrays named in this module, and name, version, licence, source and expression_names as metadata.

    Raises: FaceModelInvalid if an array is missing, has the wrong shape or is not finite.
    """
    path = Path(path)
    _check(path, arrays)
    write_tensors(path, arrays, {"schema": SCHEMA, **metadata})


def _checked_metadata(path: Path, metadata: dict[str, str]) -> dict[str, str]:
    """The metadata, after checking that it is complete."""
    if metadata.get("schema") != SCHEMA:
        raise FaceModelInvalid(f"{path}: schema {metadata.get('schema')!r}, this version reads {SCHEMA!r}")
    missing = {"name", "version", "licence", "source", "expression_names"} - set(metadata)
    if missing:
        raise FaceModelInvalid(f"{path}: metadata lacks {', '.join(sorted(missing))}; build the file again")
    return metadata


def _expression_names(path: Path, text: str) -> tuple[str, ...]:
    count = _FIELDS["expression_basis"].shape[0]
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    if not isinstance(names, list) or len(names) != count or not all(isinstance(name, str) for name in names):
        raise FaceModelInvalid(f"{path}: expression_names is not a JSON list of {count} names; build the file again")
    return tuple(names)


def _check(path: Path, arrays: dict[str, np.ndarray]) -> dict[str, int]:
    """The sizes that the letters stand for, after checking that every field has the documented shape and is finite."""
    sizes: dict[str, int] = {}
    for name, field in _FIELDS.items():
        if name not in arrays:
            raise FaceModelInvalid(f"{path}: array {name!r} is missing; build the file again")
        value = arrays[name]
        bound = tuple(sizes.setdefault(s, n) if isinstance(s, str) else s for s, n in zip(field.shape, value.shape))
        if value.ndim != len(field.shape) or value.shape != bound or value.dtype.kind not in field.kind:
            expected = " x ".join(map(str, field.shape))
            raise FaceModelInvalid(f"{path}: {name!r} is {value.shape} {value.dtype}, expected {expected}")
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise FaceModelInvalid(f"{path}: {name!r} has numbers that are not finite; build the file again")
    if empty := [size for size, count in sizes.items() if count == 0]:
        raise FaceModelInvalid(f"{path}: arrays of no length ({', '.join(empty)} = 0); build the file again")
    for name, limit in [("triangles", "V"), ("mirror", "V"), ("uv_triangles", "U"), ("landmark_triangles", "T")]:
        if arrays[name].min() < 0 or arrays[name].max() >= sizes[limit]:
            raise FaceModelInvalid(f"{path}: {name!r} points outside its {sizes[limit]} targets; build the file again")
    return sizes


def _components(basis: np.ndarray, scale: np.ndarray | float = 1.0) -> Components:
    """The components of a file's basis (K, V, 3) times a scale (K,), kept at the file's number of bits."""
    flat = basis.reshape(len(basis), -1)
    if basis.dtype == np.float16:
        components = Components.rounded(flat)
    else:
        components = Components.of(flat if basis.dtype == np.int8 else flat.astype(np.float32))
    return replace(components, scale=(components.scale * scale).astype(np.float32))
