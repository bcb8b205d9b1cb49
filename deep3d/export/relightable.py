"""A head to be lit anew, from the files that `reconstruct --material` wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from deep3d.errors import MaterialMissing
from deep3d.face_model import FaceModel
from deep3d.material import RelightableHead
from deep3d.mesh import MILLIMETRES


def read_relightable(folder: Path, model: FaceModel) -> RelightableHead:
    """From face.obj, base_color.png, roughness.png and specular.png in a folder of results.

    Raises: MaterialMissing if one is missing, damaged or of another face model.
    """
    vertices = _vertices(folder / "face.obj")
    if len(vertices) != len(model.mean_shape):
        raise MaterialMissing(
            f"{folder / 'face.obj'}: {len(vertices)} vertices, not of this face model; give its --model"
        )
    base, rough, shine = (_image(folder / f"{name}.png") for name in ("base_color", "roughness", "specular"))
    if base.ndim != 3 or rough.shape != base.shape[:2] or shine.shape != base.shape[:2]:
        raise MaterialMissing(f"{folder}: maps of different sizes; run `deep3d reconstruct --material` again")
    return RelightableHead.of_maps(model, vertices, base, rough, shine)


def _vertices(path: Path) -> np.ndarray:
    try:
        lines = [line.split()[1:4] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("v ")]
        return (np.array(lines, np.float64).reshape(-1, 3) / MILLIMETRES).astype(np.float32)
    except (OSError, ValueError) as error:
        raise _missing(path) from error


def _image(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return np.asarray(image)
    except (OSError, ValueError) as error:
        raise _missing(path) from error


def _missing(path: Path) -> MaterialMissing:
    return MaterialMissing(f"{path}: cannot be read; run `deep3d reconstruct --material` for this photo first")
