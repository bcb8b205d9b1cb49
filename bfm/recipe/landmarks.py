"""Where the 68 landmarks lie, and vertices that are slid there, so that each landmark has a vertex of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recipe.source import Source
from recipe.topology import Topology

SLID = ("mean_shape", "mean_albedo", "identity_basis", "expression_basis", "albedo_basis")


@dataclass(frozen=True)
class Placement:
    """68 points on the surface of the open model, before vertices are slid."""

    triangles: np.ndarray  # (68,)
    weights: np.ndarray  # (68, 3) barycentric


def read_placement(path: Path, triangles: np.ndarray) -> Placement:
    """The placement that calibrate_landmarks.py wrote, for the triangles (T, 3) of the model."""
    content = json.loads(path.read_text())
    return _placement(triangles, np.array(content["vertices"]), np.array(content["weights"]))


def source_placement(source: Source, topology: Topology) -> Placement:
    """The source's own landmark vertices, to start a calibration from."""
    row_of = {int(vertex): row for row, vertex in enumerate(topology.source_vertices)}
    corners = np.array([[row_of[int(vertex)]] for vertex in source.landmarks68])
    return _placement(topology.triangles, corners, np.ones((68, 1)))


def slide_vertices(arrays: dict[str, np.ndarray], placement: Placement) -> dict[str, np.ndarray]:
    """The arrays of a face model file with the heaviest corner of each landmark's triangle moved onto the landmark.

    Shape, albedo and UV of such a vertex become those of the point. Where two landmarks want one vertex, the first
    gets it and the other stays a point between vertices.
    """
    triangles = arrays["triangles"].astype(np.int64)
    result = {name: value.copy() for name, value in arrays.items()}
    weights = placement.weights.copy()
    taken: set[int] = set()
    for landmark, triangle in enumerate(placement.triangles):
        corners, share = triangles[triangle], placement.weights[landmark]
        heaviest = int(np.argmax(share))
        vertex = int(corners[heaviest])
        if vertex in taken or any(int(corner) in taken for corner in corners[share > 0]):
            continue
        taken.add(vertex)
        for name in SLID:
            value = arrays[name]
            point = np.einsum("c,...cd->...d", share, value[..., corners, :].astype(np.float64))
            result[name][..., vertex, :] = np.round(point) if value.dtype.kind == "i" else point
        uv_corners = arrays["uv_triangles"][triangle].astype(np.int64)
        result["uv"][uv_corners[heaviest]] = share @ arrays["uv"][uv_corners]
        weights[landmark] = np.eye(3)[heaviest]
    return result | {
        "landmark_triangles": placement.triangles.astype(np.int32),
        "landmark_weights": weights.astype(np.float32),
    }


def _placement(triangles: np.ndarray, corners: np.ndarray, shares: np.ndarray) -> Placement:
    """The triangles that have these (68, K) vertices, and the (68, K) shares in the order of their corners."""
    found, weights = np.zeros(68, np.int64), np.zeros((68, 3))
    for row, (vertices, share) in enumerate(zip(corners, shares, strict=True)):
        found[row] = np.flatnonzero(np.isin(triangles, vertices).sum(axis=1) == len(vertices))[0]
        for vertex, part in zip(vertices, share, strict=True):
            weights[row, triangles[found[row]] == vertex] = part
    return Placement(found, weights)
