"""Basel Face Models in HDF5, in the layout of statismo and scalismo: shape, colour and expression as PCA models.

A face is mean + basis x (coefficients x root of variance) of its shape, plus the same of its expression (Gerig et al.,
2018, "Morphable face models - an open framework"); lengths are millimetres, colours RGB in [0, 1].
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deep3d.errors import ExtraMissing, FaceModelInvalid, FaceModelMissing
from deep3d.face_model.foreign import ALBEDOS, EXPRESSIONS, IDENTITIES, ForeignModel
from deep3d.mesh import MILLIMETRES

if TYPE_CHECKING:
    import h5py

NAMED_LANDMARKS = {
    "center.chin.tip": 8,
    "right.eyebrow.bend.upper": 19,
    "right.eyebrow.inner_upper": 21,
    "left.eyebrow.inner_upper": 22,
    "left.eyebrow.bend.upper": 24,
    "center.nose.tip": 30,
    "right.nose.wing.outer": 31,
    "center.nose.attachement_to_philtrum": 33,
    "left.nose.wing.outer": 35,
    "right.eye.corner_outer": 36,
    "right.eye.corner_inner": 39,
    "left.eye.corner_inner": 42,
    "left.eye.corner_outer": 45,
    "right.lips.corner": 48,
    "right.lips.philtrum_ridge": 50,
    "center.lips.upper.outer": 51,
    "left.lips.philtrum_ridge": 52,
    "left.lips.corner": 54,
    "center.lips.lower.outer": 57,
    "center.lips.upper.inner": 62,
    "center.lips.lower.inner": 66,
}
"""The file's landmarks that are among the 68; its right is the person's right, the left of the picture."""


RELEASES = {
    2017: {"model2017-1_bfm_nomouth.h5": 53149, "model2017-1_face12_nomouth.h5": 28588},
    2019: {"model2019_fullHead.h5": 58203, "model2019_bfm.h5": 47439, "model2019_face12.h5": 27657},
}
"""By year: the files of the Basel Face Model, each a different crop of the head, and their numbers of vertices."""


def read_release(source: Path, year: int, landmark_vertices: Mapping[int, Mapping[int, int]]) -> ForeignModel:
    """The model from a year's HDF5 file, or from the only one in a folder.

    `landmark_vertices` has, by the model's number of vertices, the vertices of some of the 68 landmarks. For other
    models, the landmarks of the file are used.

    Raises: FaceModelMissing, FaceModelInvalid naming what is wrong, ExtraMissing without h5py.
    """
    path = _file(source, RELEASES[year])
    try:
        import h5py
    except ImportError as error:
        raise ExtraMissing("HDF5 files need h5py, which is not installed; pip install 'deep3d[models]'") from error
    try:
        with h5py.File(path) as file:
            return _model(path, file, year, landmark_vertices)
    except OSError as error:
        raise FaceModelInvalid(f"{path}: damaged, or not an HDF5 file; fetch it again") from error


def _file(source: Path, names: Iterable[str]) -> Path:
    if source.is_file():
        return source
    expected = f"expected one of {', '.join(names)}; bfm/README.md says where to get it"
    if not source.is_dir():
        raise FaceModelMissing(f"{source}: no such file or folder, {expected}")
    found = [source / name for name in names if (source / name).is_file()] or sorted(source.glob("*.h5"))
    if not found:
        raise FaceModelMissing(f"{source}: no HDF5 file in this folder, {expected}")
    if len(found) > 1:
        raise FaceModelInvalid(f"{source}: {', '.join(file.name for file in found)} found; name one of them")
    return found[0]


def _model(path: Path, file: h5py.File, year: int, landmark_vertices: Mapping[int, Mapping[int, int]]) -> ForeignModel:
    mean, identity = _linear(path, file, "shape", IDENTITIES)
    known_year, cut = _recognised(len(mean))
    if known_year not in (None, year):
        raise FaceModelInvalid(
            f"{path}: {len(mean)} vertices, which is {cut} of {known_year}; import it as bfm{known_year}"
        )
    expression_mean, expression = _linear(path, file, "expression", EXPRESSIONS)
    mean_albedo, albedo = _linear(path, file, "color", ALBEDOS)
    if not len(mean) == len(expression_mean) == len(mean_albedo):
        raise FaceModelInvalid(
            f"{path}: shape, expression and color have {len(mean)}, {len(expression_mean)} and {len(mean_albedo)} "
            "vertices; fetch it again"
        )
    mean = (mean + expression_mean) / MILLIMETRES
    triangles = _triangles(path, file, mean)
    centre = mean.mean(axis=0)
    return ForeignModel(
        name=f"Basel Face Model {year}",
        version=cut,
        licence="Basel Face Model licence: non-commercial, not to be passed on",
        source="University of Basel (Gerig et al., 2018)",
        mean_shape=(mean - centre).astype(np.float32),
        identity_basis=(identity / MILLIMETRES).astype(np.float32),
        expression_basis=(expression / MILLIMETRES).astype(np.float32),
        mean_albedo=mean_albedo.astype(np.float32),
        albedo_basis=albedo.astype(np.float32),
        triangles=triangles,
        landmarks=landmark_vertices.get(len(mean)) or _named_landmarks(path, file, mean),
    )


def _recognised(vertices: int) -> tuple[int | None, str]:
    """The year and the file with so many vertices; a custom crop has no year."""
    for year, files in RELEASES.items():
        for name, count in files.items():
            if count == vertices:
                return year, name.removesuffix(".h5")
    return None, f"{vertices} vertices"


def _linear(path: Path, file: h5py.File, part: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (V, 3) and at most `count` components (K, V, 3), one standard deviation each, of a PCA model."""
    mean = _dataset(path, file, f"{part}/model/mean")[()].ravel()
    basis = _dataset(path, file, f"{part}/model/pcaBasis")
    variance = _dataset(path, file, f"{part}/model/pcaVariance")[()].ravel()
    if len(mean) == 0 or len(mean) % 3 or basis.shape != (len(mean), len(variance)):
        raise FaceModelInvalid(
            f"{path}: {part} has a mean of {len(mean)} numbers, a basis of {basis.shape} and {len(variance)} "
            "variances, expected 3 V, (3 V, K) and K; fetch it again"
        )
    scaled = basis[:, :count].astype(np.float64) * np.sqrt(np.maximum(variance[:count], 0))
    return mean.reshape(-1, 3).astype(np.float64), scaled.T.reshape(scaled.shape[1], -1, 3)


def _triangles(path: Path, file: h5py.File, vertices: np.ndarray) -> np.ndarray:
    """(T, 3) int32, turned so that they are counter-clockwise from outside."""
    cells = _dataset(path, file, "shape/representer/cells")[()]
    if cells.ndim != 2 or len(cells) != 3 or cells.size == 0 or cells.min() < 0 or cells.max() >= len(vertices):
        raise FaceModelInvalid(
            f"{path}: shape/representer/cells is {cells.shape}, expected (3, T) numbers below {len(vertices)}"
        )
    triangles = cells.T.astype(np.int32)
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    outward = (np.cross(b - a, c - a) * (a - vertices.mean(axis=0))).sum() > 0
    return triangles if outward else triangles[:, ::-1]


def _named_landmarks(path: Path, file: h5py.File, vertices: np.ndarray) -> dict[int, int]:
    """The vertices nearest to the file's landmarks that are among the 68; possibly none."""
    if "metadata/landmarks/json" not in file:
        return {}
    text = np.asarray(_dataset(path, file, "metadata/landmarks/json")[()]).ravel()[0]
    try:
        points = _points(json.loads(text))
        known = {
            NAMED_LANDMARKS[name]: np.array(point, float) for name, point in points.items() if name in NAMED_LANDMARKS
        }
        return {
            number: int(np.linalg.norm(vertices - point / MILLIMETRES, axis=1).argmin())
            for number, point in known.items()
        }
    except (ValueError, TypeError, KeyError) as error:
        raise FaceModelInvalid(f"{path}: metadata/landmarks/json is no list of landmarks; fetch it again") from error


def _points(landmarks: Any) -> dict[str, Any]:
    """Coordinates by name, from either format of such files."""
    if isinstance(landmarks, dict):
        return landmarks
    return {landmark["id"]: landmark["coordinates"] for landmark in landmarks}


def _dataset(path: Path, file: h5py.File, name: str) -> Any:
    import h5py

    if not isinstance(found := file.get(name), h5py.Dataset):
        raise FaceModelInvalid(f"{path}: {name} is missing, not a Basel Face Model with expressions; fetch it again")
    return found
