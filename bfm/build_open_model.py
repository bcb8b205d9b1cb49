"""Build the open face model from the ICT Face Model Light.

    python bfm/build_open_model.py SOURCE --landmarks bfm/landmarks.json --out bfm/open_face_model.safetensors

SOURCE is ict_facekit.npz (packed) or the folder FaceXModel of ICT-FaceKit as published.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from deep3d.face_model import write_face_model
from recipe.atlas import build_atlas
from recipe.expressions import build_expressions
from recipe.landmarks import read_placement, slide_vertices, source_placement
from recipe.pocket import follow_skin
from recipe.skin import Noise, Regions, build_regions, random_albedo
from recipe.source import Source, read_source
from recipe.topology import Topology, build_topology

DECIMETRES_PER_CM = 0.1
IDENTITY_COMPONENTS = 80
ALBEDO_COMPONENTS = 80
ALBEDO_PEOPLE = 2000


def main() -> None:
    """Read the command line, build, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("open_face_model.safetensors"))
    parser.add_argument(
        "--landmarks",
        type=Path,
        help="landmarks.json of calibrate_landmarks.py; without it the source's own, to calibrate from",
    )
    arguments = parser.parse_args()
    source = read_source(arguments.source)
    arrays, topology, names = build(source)
    if arguments.landmarks is None:
        placement = source_placement(source, topology)
        arrays |= {"landmark_triangles": placement.triangles, "landmark_weights": placement.weights}
    else:
        arrays = slide_vertices(arrays, read_placement(arguments.landmarks, topology.triangles))
    metadata = {
        "name": "deep3d open face model",
        "version": "1",
        "licence": "MIT",
        "source": "ICT Face Model Light (USC ICT, Vision and Graphics Lab, MIT licence); procedural albedo",
        "expression_names": json.dumps(names),
    }
    write_face_model(arguments.out, arrays, metadata)


def build(source: Source) -> tuple[dict[str, np.ndarray], Topology, list[str]]:
    """The arrays of a face model file but for the landmarks, the mesh they are over, and the expression names."""
    topology = build_topology(source)
    vertices = topology.resample(source.neutral) * DECIMETRES_PER_CM
    identity = follow_skin(_identity_basis(source, topology), topology.resample(source.neutral), topology)
    identity *= DECIMETRES_PER_CM
    names, expressions = build_expressions(source, topology)
    regions = build_regions(source, topology)
    mean_albedo, albedo_basis = _albedo_basis(regions, source, topology)
    albedo_scale = np.abs(albedo_basis).max(axis=(1, 2)) / 127
    uv, uv_triangles = build_atlas(source, topology)
    arrays = {
        "mean_shape": (vertices - vertices.mean(axis=0)).astype(np.float32),
        "mean_albedo": mean_albedo.astype(np.float32),
        "identity_basis": identity.astype(np.float16),
        "expression_basis": (expressions * DECIMETRES_PER_CM).astype(np.float16),
        "albedo_basis": np.round(albedo_basis / albedo_scale[:, None, None]).astype(np.int8),
        "albedo_scale": albedo_scale.astype(np.float32),
        "triangles": topology.triangles.astype(np.uint16),
        "uv": uv,
        "uv_triangles": uv_triangles.astype(np.uint16),
        "skin": np.round(regions.facial * 255).astype(np.uint8),
        "mirror": topology.mirror.astype(np.uint16),
    }
    return arrays, topology, names


def _identity_basis(source: Source, topology: Topology) -> np.ndarray:
    """The 80 strongest directions (80, V, 3), centimetres, of the source's 100, by their size on the skin.

    Turning the source's coefficients, which are N(0, 1), into the new ones is a rotation, so these are N(0, 1) too.
    """
    modes = topology.resample(source.identity).astype(np.float64)
    skin = topology.vertex_part <= 1
    weights = _vertex_areas(topology.resample(source.neutral), topology.triangles) * skin
    weighted = (modes * np.sqrt(weights)[:, None]).reshape(len(modes), -1)
    turn, _, _ = np.linalg.svd(weighted @ weighted.T)
    return _with_fixed_signs(np.tensordot(turn[:, :IDENTITY_COMPONENTS].T, modes, axes=1))


def _with_fixed_signs(components: np.ndarray) -> np.ndarray:
    """Components (K, V, 3) with their largest entry positive: a decomposition leaves the sign to chance."""
    flat = components.reshape(len(components), -1)
    largest = np.take_along_axis(flat, np.abs(flat).argmax(axis=1, keepdims=True), axis=1)
    return components * np.sign(largest)[:, :, None]


def _vertex_areas(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return np.bincount(triangles.ravel(), np.repeat(area, 3), len(vertices))


def _albedo_basis(regions: Regions, source: Source, topology: Topology) -> tuple[np.ndarray, np.ndarray]:
    """Mean (V, 3) and principal components (80, V, 3), one standard deviation each, of made-up people."""
    rng = np.random.default_rng(0)
    noise = Noise(regions.points, rng)
    people = np.stack([random_albedo(regions, noise, source, topology, rng).ravel() for _ in range(ALBEDO_PEOPLE)])
    mean = people.mean(axis=0)
    people = (people - mean).astype(np.float32)
    turn, _, _ = np.linalg.svd(people @ people.T)
    keep = slice(0, ALBEDO_COMPONENTS)
    basis = (turn[:, keep] / np.sqrt(ALBEDO_PEOPLE)).T @ people
    return mean.reshape(-1, 3), _with_fixed_signs(basis.reshape(ALBEDO_COMPONENTS, -1, 3))


if __name__ == "__main__":
    main()
