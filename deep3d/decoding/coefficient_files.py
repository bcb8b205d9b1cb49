"""Files of coefficients: NumPy arrays, MATLAB files of either Deep3DFaceRecon, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from deep3d.coefficients import COEFFICIENT_COUNT, FIELDS, LIGHTING, FaceCoefficients
from deep3d.errors import CoefficientsInvalid

PYTORCH_NAMES = {
    "id": "identity",
    "exp": "expression",
    "tex": "albedo",
    "angle": "rotation",
    "gamma": "lighting",
    "trans": "translation",
}
"""The fields as Deep3DFaceRecon_pytorch names them in its MATLAB files."""
TENSORFLOW_NAME = "coeff"
WHITE_LIGHT = 9  # coefficients, the same for all channels


def read_coefficients(path: str | Path) -> FaceCoefficients:
    """The coefficients of a file, B faces, float32.

    `.npy` is a (257,) or (B, 257) array. `.mat` is a file of either Deep3DFaceRecon, including `face_pytorch.mat` and
    `face_tensorflow.mat`. `.json` is such an array as lists, or an object whose `coefficients` are an array or the
    fields by name, such as face.json. White light may have nine numbers, which are used for each channel.

    Raises: CoefficientsInvalid naming the file and what is wrong.
    """
    path = Path(path)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise CoefficientsInvalid(f"{path}: unknown kind of file; give one of {', '.join(_READERS)}")
    try:
        vectors = np.atleast_2d(np.asarray(read(path), np.float32))
    except OSError as error:
        raise CoefficientsInvalid(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
    except Exception as error:  # the readers raise all kinds of errors on damaged files
        reason = str(error).partition("\n")[0]
        raise CoefficientsInvalid(f"{path}: not a file of coefficients ({reason}); give 257 numbers a face") from error
    if vectors.ndim == 2 and vectors.shape[1] == COEFFICIENT_COUNT - 2 * WHITE_LIGHT:
        start, end = LIGHTING.start, LIGHTING.start + WHITE_LIGHT
        vectors = np.concatenate([vectors[:, :end], vectors[:, start:end], vectors[:, start:]], axis=1)
    if vectors.ndim != 2 or vectors.shape[1] != COEFFICIENT_COUNT or not len(vectors):
        raise CoefficientsInvalid(
            f"{path}: holds an array of {vectors.shape}, {COEFFICIENT_COUNT} numbers a face needed"
        )
    if not np.isfinite(vectors).all():
        row, column = np.argwhere(~np.isfinite(vectors))[0]
        raise CoefficientsInvalid(f"{path}: coefficient {column} of face {row} is not finite; correct it")
    return FaceCoefficients.from_vector(vectors)


def _npy(path: Path) -> np.ndarray:
    return np.load(path, allow_pickle=False)


def _mat(path: Path) -> np.ndarray:
    content = loadmat(path)
    if TENSORFLOW_NAME in content:
        return content[TENSORFLOW_NAME]
    return _joined({field: content[name] for name, field in PYTORCH_NAMES.items() if name in content})


def _json(path: Path) -> np.ndarray:
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        content = content["coefficients"]
    return _joined(content) if isinstance(content, dict) else np.asarray(content, np.float32)


def _joined(fields: dict[str, Any]) -> np.ndarray:
    """(B, 257) of the fields by name."""
    if missing := [name for name in FIELDS if name not in fields]:
        raise ValueError(f"without {', '.join(missing)}")
    arrays = {name: np.atleast_2d(np.asarray(fields[name], np.float32)) for name in FIELDS}
    for name, part in FIELDS.items():
        width = arrays[name].shape[1]
        if width != part.stop - part.start and not (name == "lighting" and width == WHITE_LIGHT):
            raise ValueError(f"{name} has {width} numbers instead of {part.stop - part.start}")
    return np.concatenate([*arrays.values()], axis=1)


_READERS: dict[str, Callable[[Path], np.ndarray]] = {".npy": _npy, ".mat": _mat, ".json": _json}
