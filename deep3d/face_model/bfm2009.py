"""The Basel Face Model of 2009 as Deep3DFaceRecon uses it: 35,709 vertices of the face, with expressions.

Shape and albedo are those of Paysan et al. (2009), "A 3D face model for pose and illumination invariant face
recognition"; the expressions were added by Guo et al. (2018), "CNN-based real-time dense face reconstruction". Crop,
units and number of components are those of Deep3DFaceRecon (Deng et al., 2019), whose names the arrays have here:

    meanshape (V, 3), idBase (V, 3, 80), exBase (V, 3, 64)   decimetres
    meantex (V, 3), texBase (V, 3, 80)                       grey levels 0..255
    tri (T, 3), keypoints (68,)                              vertices, counted from 0
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.io import loadmat

from deep3d.errors import FaceModelInvalid, FaceModelMissing
from deep3d.face_model.foreign import ALBEDOS, EXPRESSIONS, IDENTITIES, ForeignModel

FRONT = "BFM_model_front.mat"
MODEL, EXPRESSION_BASIS, EXPRESSION_SCALE = "01_MorphableModel.mat", "Exp_Pca.bin", "std_exp.txt"
EXPRESSION_TO_SCAN, FRONT_TO_EXPRESSION, FRONT_INFO = "BFM_exp_idx.mat", "BFM_front_idx.mat", "facemodel_info.mat"
FILES = (MODEL, EXPRESSION_BASIS, EXPRESSION_SCALE, EXPRESSION_TO_SCAN, FRONT_TO_EXPRESSION, FRONT_INFO)

UNITS_PER_DECIMETRE = np.float32(1e5)  # micrometres
GREY_LEVELS = np.float32(255)
README = "bfm/README.md says where to get it"


def read_bfm2009(source: Path) -> ForeignModel:
    """The model from a folder with its original files or with a BFM_model_front.mat, or from such a file.

    Raises: FaceModelMissing naming all missing files, FaceModelInvalid naming the invalid file.
    """
    if not source.exists():
        raise FaceModelMissing(f"{source}: no such file or folder; {README}")
    ready = source / FRONT if source.is_dir() and not (source / MODEL).exists() else source
    return _in_project_units(read_front(ready) if ready.is_file() else convert(source))


def convert(folder: Path) -> dict[str, np.ndarray]:
    """The arrays named above, computed from the original files like in Deep3DFaceRecon.

    Raises: like `read_bfm2009`.
    """
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise FaceModelMissing(f"{folder}: {', '.join(missing)} missing (or a ready {FRONT}); {README}")
    path = folder / EXPRESSION_TO_SCAN
    to_scan = _indices(path, "trimIndex", _load(path, "trimIndex")[0]).ravel()
    path = folder / FRONT_TO_EXPRESSION
    to_expression = _indices(path, "idx", _load(path, "idx")[0], limit=len(to_scan)).ravel()
    expressions = _expressions(folder, len(to_scan))[to_expression]
    scan = to_scan[to_expression]
    path = folder / MODEL
    basis, scale, mean = _load(path, "shapePC", "shapeEV", "shapeMU")
    shapes = _scaled(path, "shape", basis, scale, IDENTITIES, scan) / UNITS_PER_DECIMETRE
    mean_shape = _mean(path, "shapeMU", mean, basis)[scan] / UNITS_PER_DECIMETRE
    basis, scale, mean = _load(path, "texPC", "texEV", "texMU")
    return {
        "idBase": shapes,
        "exBase": expressions,
        "texBase": _scaled(path, "tex", basis, scale, ALBEDOS, scan),
        "meanshape": mean_shape,
        "meantex": _mean(path, "texMU", mean, basis)[scan],
        **_topology(folder / FRONT_INFO, len(scan)),
    }


def read_front(path: Path) -> dict[str, np.ndarray]:
    """The arrays named above, from a BFM_model_front.mat of either Deep3DFaceRecon.

    Raises: FaceModelInvalid.
    """
    counts = {"idBase": IDENTITIES, "exBase": EXPRESSIONS, "texBase": ALBEDOS}
    means = dict(zip(("meanshape", "meantex"), _load(path, "meanshape", "meantex")))
    vertices = means["meanshape"].size // 3
    arrays = {name: _reshaped(path, name, value, (vertices, 3)) for name, value in means.items()}
    for (name, count), value in zip(counts.items(), _load(path, *counts)):
        arrays[name] = _reshaped(path, name, value, (vertices, 3, count))
    return arrays | _topology(path, vertices)


def _in_project_units(arrays: dict[str, np.ndarray]) -> ForeignModel:
    single = {name: arrays[name].astype(np.float32) for name in ("meanshape", "idBase", "exBase", "meantex", "texBase")}
    # The reference also subtracts the float32 mean, some micrometres from the true one.
    return ForeignModel(
        name="Basel Face Model 2009",
        version="Deep3DFaceRecon",
        licence="Basel Face Model licence: non-commercial, not to be passed on",
        source="University of Basel (Paysan et al., 2009); expressions of Guo et al. (2018); crop of Deep3DFaceRecon",
        mean_shape=single["meanshape"] - single["meanshape"].mean(axis=0),
        identity_basis=single["idBase"].transpose(2, 0, 1),
        expression_basis=single["exBase"].transpose(2, 0, 1),
        mean_albedo=single["meantex"] / GREY_LEVELS,
        albedo_basis=single["texBase"].transpose(2, 0, 1) / GREY_LEVELS,
        triangles=arrays["tri"],
        landmarks=dict(enumerate(arrays["keypoints"].tolist())),
    )


def _expressions(folder: Path, vertices: int) -> np.ndarray:
    """(vertices, 3, 64) float64 decimetres: an int32 count, a mean that is not used, and so many vectors, float32."""
    path = folder / EXPRESSION_BASIS
    content = path.read_bytes()
    count = int(np.frombuffer(content, "<i4", 1)[0]) if len(content) >= 4 else 0
    size = 4 + 4 * 3 * vertices * (count + 1)
    if count < EXPRESSIONS or len(content) != size:
        raise FaceModelInvalid(
            f"{path}: {len(content)} bytes, not the {size} of {count} expressions over {vertices} vertices; "
            "fetch it again"
        )
    basis = np.frombuffer(content, "<f4", offset=4 + 4 * 3 * vertices).reshape(count, vertices, 3)
    try:
        deviations = np.loadtxt(folder / EXPRESSION_SCALE).ravel()
    except ValueError as error:
        raise FaceModelInvalid(f"{folder / EXPRESSION_SCALE}: not a list of numbers; {README}") from error
    if len(deviations) != count:
        raise FaceModelInvalid(
            f"{folder / EXPRESSION_SCALE}: {len(deviations)} numbers, {EXPRESSION_BASIS} has {count}"
        )
    return basis[:EXPRESSIONS].transpose(1, 2, 0) * deviations[:EXPRESSIONS] / 1e5


def _scaled(
    path: Path, name: str, basis: np.ndarray, scale: np.ndarray, count: int, vertices: np.ndarray
) -> np.ndarray:
    """(V, 3, count): the first columns of a basis (3 N, K) at the chosen vertices, times their standard deviations."""
    if basis.ndim != 2 or basis.shape[1] < count or basis.shape[0] % 3 or scale.size != basis.shape[1]:
        raise FaceModelInvalid(
            f"{path}: '{name}PC' is {basis.shape} and '{name}EV' {scale.shape}, expected (3 N, K) and K >= {count}"
        )
    if vertices.max() >= len(basis) // 3:
        raise FaceModelInvalid(f"{path}: '{name}PC' has {len(basis) // 3} vertices, the index files ask for more")
    return basis.reshape(-1, 3, basis.shape[1])[vertices, :, :count] * scale.ravel()[:count]


def _mean(path: Path, name: str, mean: np.ndarray, basis: np.ndarray) -> np.ndarray:
    return _reshaped(path, name, mean, (len(basis) // 3, 3))


def _topology(path: Path, vertices: int) -> dict[str, np.ndarray]:
    tri, keypoints = _load(path, "tri", "keypoints")
    triangles = _indices(path, "tri", _reshaped(path, "tri", tri, (len(tri), 3)), limit=vertices)
    landmarks = _indices(path, "keypoints", _reshaped(path, "keypoints", keypoints, (68,)), limit=vertices)
    return {"tri": triangles, "keypoints": landmarks}


def _load(path: Path, *names: str) -> list[np.ndarray]:
    """Arrays of a MATLAB file.

    Raises: FaceModelInvalid.
    """
    try:
        content = loadmat(path, variable_names=names)
    except Exception as error:  # the reader raises all kinds of errors on damaged files
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise FaceModelInvalid(f"{path}: damaged, or not a MATLAB file ({reason}); fetch it again") from error
    for name in names:
        if not isinstance(content.get(name), np.ndarray) or content[name].dtype.kind not in "fiu":
            raise FaceModelInvalid(f"{path}: {name!r} is missing or no array of numbers; {README}")
    return [content[name] for name in names]


def _reshaped(path: Path, name: str, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if array.size != np.prod(shape):
        raise FaceModelInvalid(f"{path}: {name!r} is {array.shape}, expected {' x '.join(map(str, shape))}; {README}")
    return array.reshape(shape)


def _indices(path: Path, name: str, array: np.ndarray, limit: int | None = None) -> np.ndarray:
    """Numbers from 1 to `limit`, converted to numbers from 0.

    Raises: FaceModelInvalid.
    """
    numbers = array.astype(np.int32) - 1
    whole = numbers.size > 0 and (numbers + 1 == array).all() and numbers.min() >= 0
    if not whole or (limit is not None and numbers.max() >= limit):
        raise FaceModelInvalid(f"{path}: {name!r} is no list of vertices from 1 to {limit or 'their number'}; {README}")
    return numbers
