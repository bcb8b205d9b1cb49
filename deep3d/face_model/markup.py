"""The 68 landmarks in the field's markup: fixed points of the surface, and a jaw that follows the visible outline.

The 300-W (iBUG) annotation and dlib put the jaw where the face's outline is in the picture; AFLW2000-3D and 3DDFA keep
it on the bone, visible or not. Both are here: 68 fixed points, and for each of the 17 points of the jaw a row of points
from it across the cheek. On a turned head the outline is where a row reaches farthest (landmark marching; Zhu
et al., 2015, "High-fidelity pose and expression normalization for face recognition in the wild").
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deep3d.errors import FaceModelInvalid
from deep3d.files.assets import asset
from deep3d.landmarks import JAW

if TYPE_CHECKING:
    from deep3d.face_model.model import FaceModel

MARKUP_FILE = "markup_300w.json"
SCHEMA = "deep3d.markup/1"
ACROSS = np.linspace(0, 0.9, 19)  # of the way round the head from the jaw to the middle of the face: points of a row
BEHIND = 0.3  # decimetres from the model's origin back to the upright axis that the rows go round
RISE = 0.3  # decimetres that the rows beside the chin rise; those at the ears stay level
SKIN = 0.3  # of the model's skin map, at least, where rows run


@dataclass(frozen=True)
class SurfacePoints:
    """N points on the surface of a face model, each a blend of three vertices."""

    corners: np.ndarray  # (N, 3) vertex numbers
    weights: np.ndarray  # (N, 3) float32 barycentric

    def __call__(self, vertices: np.ndarray) -> np.ndarray:
        """Interpolate values (B, V, D) of the vertices: (B, N, D)."""
        return np.einsum("bncd,nc->bnd", vertices[:, self.corners], self.weights)

    def rows(self, chosen: np.ndarray) -> SurfacePoints:
        """The points of some rows."""
        return SurfacePoints(self.corners[chosen], self.weights[chosen])

    @property
    def nearest(self) -> np.ndarray:
        """(N,) the vertex with the largest weight for each point."""
        return np.take_along_axis(self.corners, self.weights.argmax(axis=1)[:, None], axis=1)[:, 0]


@dataclass(frozen=True)
class Markup:
    """The places of the field's 68 landmarks on a face model."""

    points: SurfacePoints  # 68, fixed
    triangles: np.ndarray  # (68,) int32, the triangles of the points
    jaw_rows: SurfacePoints  # 17 times R, row by row: each begins at the fixed point
    outward: np.ndarray  # (17, 2) unit vectors away from the face, right and up, as seen from the front

    def outline(self, rows: np.ndarray, roll: float | np.ndarray) -> np.ndarray:
        """The point (B, 17) of each row on the visible outline, from the rows' pixels (B, 17 R, 2).

        `roll` is the head's third angle in radians, (B,) or one for all.
        """
        seen = rows.reshape(len(rows), len(self.outward), -1, 2)
        cos, sin = np.cos(np.broadcast_to(roll, len(rows))), np.sin(np.broadcast_to(roll, len(rows)))
        x, y = self.outward.T
        direction = np.stack([np.outer(cos, x) - np.outer(sin, y), -np.outer(sin, x) - np.outer(cos, y)], axis=-1)
        return np.einsum("bjrd,bjd->bjr", seen, direction).argmax(axis=2)

    def on_outline(self, chosen: np.ndarray) -> SurfacePoints:
        """The 68 points with the jaw at the chosen points (17,) of its rows."""
        length = len(self.jaw_rows.corners) // len(self.outward)
        jaw = self.jaw_rows.rows(np.arange(len(self.outward)) * length + chosen)
        corners, weights = self.points.corners.copy(), self.points.weights.copy()
        corners[JAW], weights[JAW] = jaw.corners, jaw.weights
        return SurfacePoints(corners, weights)


def find_markup(model: FaceModel) -> Markup:
    """The markup of the open model, from its file; of other models their own landmarks, with rows across the mean face.

    Raises: FaceModelInvalid if the file does not belong to the model.
    """
    content = json.loads(asset("bfm", MARKUP_FILE).read_text(encoding="utf-8"))
    if content["face_model"] == model.info.name:
        corners, weights = np.array(content["vertices"]), np.array(content["weights"], np.float32)
        triangles = _triangles_of(corners, model)
    else:
        triangles = model.landmark_triangles
        corners, weights = model.triangles[triangles], model.landmark_weights
    points = SurfacePoints(corners.astype(np.int32), weights)
    return Markup(points, triangles.astype(np.int32), _jaw_rows(model, points), _outward(model, points))


def _triangles_of(corners: np.ndarray, model: FaceModel) -> np.ndarray:
    """The triangles (N,) whose vertices are (N, 3), in their order.

    Raises: FaceModelInvalid.
    """
    found = {}
    for number in np.flatnonzero(np.isin(model.triangles, corners).all(axis=1)):
        found[tuple(model.triangles[number].tolist())] = number
    missing = [row for row, three in enumerate(corners.tolist()) if tuple(three) not in found]
    if missing:
        raise FaceModelInvalid(
            f"{MARKUP_FILE}: the triangle of landmark {missing[0]} is not in the model; place the landmark again"
        )
    return np.array([found[tuple(three)] for three in corners.tolist()])


def _outward(model: FaceModel, points: SurfacePoints) -> np.ndarray:
    """(17, 2) across the jaw line of the mean face, away from the face."""
    jaw = points(model.mean_shape[None])[0, JAW, :2].astype(np.float64)
    along = np.gradient(jaw, axis=0)
    across = np.stack([along[:, 1], -along[:, 0]], axis=1)
    return across / np.linalg.norm(across, axis=1, keepdims=True)


def _jaw_rows(model: FaceModel, points: SurfacePoints) -> SurfacePoints:
    """From each point of the jaw, round an upright axis, toward the middle of the mean face; the ear's rows level."""
    jaw = points(model.mean_shape[None])[0, JAW].astype(np.float64)
    from_ear = np.minimum(np.arange(17), np.arange(17)[::-1])
    rise = RISE * np.minimum(from_ear / 6, 1)
    azimuth = np.arctan2(jaw[:, 0], jaw[:, 2] + BEHIND)
    wanted = np.stack([azimuth[:, None] * (1 - ACROSS), jaw[:, 1, None] + rise[:, None] * ACROSS], axis=-1)
    corners, weights = [], []
    chart = _Chart(model)
    for number, row in enumerate(wanted):
        last = (points.corners[number], points.weights[number])
        for hit in [last, *chart.along(row[1:])]:
            last = hit or last
            corners.append(last[0])
            weights.append(last[1])
    return SurfacePoints(np.array(corners, np.int32), np.array(weights, np.float32))


class _Chart:
    """The skin of the mean face unrolled: azimuth in radians about an upright axis behind the face, and height."""

    def __init__(self, model: FaceModel) -> None:
        x, y, z = model.mean_shape.astype(np.float64).T
        self._places, self._reach = np.stack([np.arctan2(x, z + BEHIND), y], axis=1), np.hypot(x, z + BEHIND)
        triangles = model.triangles[(model.skin[model.triangles] > SKIN).all(axis=1)]
        self._triangles = triangles[np.ptp(self._places[triangles][..., 0], axis=1) < np.pi / 2]
        self._corners = self._places[self._triangles]

    def along(self, places: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray] | None]:
        """Corners (3,) and weights (3,) of the outermost point of skin at each of (R, 2) places near one height."""
        height = self._corners[..., 1]
        near = (height.min(axis=1) <= places[:, 1].max()) & (height.max(axis=1) >= places[:, 1].min())
        a, b, c = self._corners[near].transpose(1, 0, 2)
        area = _cross(b - a, c - a)
        area[area == 0] = np.inf
        from_a, from_b, from_c = (corner - places[:, None] for corner in (a, b, c))
        weights = np.stack([_cross(from_b, from_c), _cross(from_c, from_a)], axis=-1) / area[:, None]
        weights = np.concatenate([weights, 1 - weights.sum(axis=-1, keepdims=True)], axis=-1)  # (R, n, 3)
        reach = (weights * self._reach[self._triangles[near]]).sum(axis=-1)
        farthest = np.where(weights.min(axis=-1) >= -1e-9, reach, -np.inf)
        best = farthest.argmax(axis=1)
        for row, triangle in enumerate(best):
            if farthest[row, triangle] == -np.inf:
                yield None
            else:
                yield self._triangles[near][triangle], weights[row, triangle]


def _cross(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]
