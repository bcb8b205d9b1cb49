"""Build the hair model from ten CC0 hairstyles of MakeHuman and the open face model.

    python bfm/build_hair_model.py makehuman.npz --out bfm/hair_model.safetensors

makehuman.npz has, for each style, its vertices and triangles, and those of the head that wears it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from deep3d.face_model import FaceModel, default_face_model
from deep3d.files.tensor_file import write_tensors
from deep3d.hair.grid import rays
from recipe.hair import components, random_styles, read_styles, skin_distance

SAMPLES = 1500
FOLLOWED = 8  # vertices of the head that a point of the grid moves with
NEAR_SKIN = 0.06  # decimetres from the grid to a vertex that lies on the skin, not on an ear or inside


def main() -> None:
    """Read the command line, build, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("hair_model.safetensors"))
    arguments = parser.parse_args()
    samples = random_styles(read_styles(arguments.source), np.random.default_rng(1), SAMPLES)
    model = default_face_model()
    learned = components(samples)
    scale = np.abs(learned["basis"]).max(axis=1) / 127
    arrays = {
        "mean": learned["mean"].astype(np.float16),
        "basis": np.rint(learned["basis"] / scale[:, None]).astype(np.int8),
        "basis_scale": scale.astype(np.float32),
        **seat(model),
    }
    metadata = {
        "name": "deep3d hair model",
        "version": "1",
        "licence": "CC0-1.0",
        "source": "statistics of ten hairstyles of MakeHuman (Data Collection AB, Joel Palmius, Jonas Hauquier; CC0)",
        "face_model": model.info.sha256,
    }
    write_tensors(arguments.out, arrays, metadata)


def seat(model: FaceModel) -> dict[str, np.ndarray]:
    """Where the grid lies on the mean head, which vertices of the head it moves with, and where ears stick out."""
    origins, directions = (each.reshape(-1, 3) for each in rays())
    skin = skin_distance(model.mean_shape, model.triangles).reshape(-1)
    base = origins + skin[:, None] * directions
    candidates = np.flatnonzero(_outside(model, skin))
    apart = np.linalg.norm(base[:, None] - model.mean_shape[None, candidates], axis=2)
    nearest = np.argsort(apart, axis=1)[:, :FOLLOWED]
    distance = np.take_along_axis(apart, nearest, axis=1)
    weight = 1 / (distance + 0.03) ** 2
    return {
        "base": base.astype(np.float32),
        "vertices": candidates[nearest].astype(np.uint16),
        "weights": (weight / weight.sum(axis=1, keepdims=True)).astype(np.float16),
        "ears": ear_height(model, skin).astype(np.float16),
    }


def ear_height(model: FaceModel, skin: np.ndarray) -> np.ndarray:
    """(POINTS,) decimetres that ears stick out of the skin."""
    whole = skin_distance(model.mean_shape, model.triangles, ears=True).reshape(-1)
    return np.maximum(whole - skin, 0)


def _outside(model: FaceModel, skin: np.ndarray) -> np.ndarray:
    """(V,) whether a vertex lies on the outer skin and not on an ear."""
    origins, directions = (each.reshape(-1, 3) for each in rays())
    distance, _ = KDTree(origins + skin[:, None] * directions).query(model.mean_shape)
    return distance < NEAR_SKIN


if __name__ == "__main__":
    main()
