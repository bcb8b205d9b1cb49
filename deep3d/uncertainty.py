"""Uncertainty of shape: how far each vertex is expected to be from where it truly is, from the covariance of a fit.

A photo tells neither the size of a head nor, exactly, its place. So what is stated is the distance that is left after a
similarity transform of the face, as shapes are compared by. The covariance is the inverse of the normal matrix of the
last Gauss-Newton step (Laplace's approximation); what it does not know, errors that neighbouring pixels and landmarks
share and shapes that the linear model does not have, is in two factors, chosen on made-up heads.
"""

from __future__ import annotations

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.mesh import MILLIMETRES

INFLATION, BEYOND = 1.85, 0.3
"""Factor of the fit's own deviation, and millimetres beyond the linear model (docs/measurements.md)."""
SKIN = 0.5  # of the model's skin map, at least
BROWS, FOREHEAD = tuple(range(17, 27)), (0.3, 0.6)
"""Landmarks below the forehead, and how far above them anchors of it lie, decimetres."""
CHEEKS = ((1, 36, 41), (2, 31, 41), (3, 31, 48), (15, 45, 46), (14, 35, 46), (13, 35, 54))
"""Landmarks round anchors of the cheeks."""
ANCHORS: dict[str, tuple[int, ...]] = {
    "brows": BROWS,
    "eyes": tuple(range(36, 48)),
    "nose": tuple(range(27, 36)),
    "lips": tuple(range(48, 68)),
    "jaw": (*range(5), *range(12, 17)),
    "chin": tuple(range(5, 12)),
}
"""Landmarks that a region's vertices are nearest to."""
FACE = (*ANCHORS, "cheeks", "forehead")
"""Regions by which a head is aligned."""
REGIONS = (*FACE, "ears and neck", "rest of the head")
THINNED = 8  # vertices, of which one counts for its region
NEAR = 0.35  # decimetres from an anchor, within which a vertex belongs to its region


def vertex_deviation(model: FaceModel, covariance: np.ndarray) -> np.ndarray:
    """(V,) millimetres, expected distance (root mean square) of each vertex from its true place.

    `covariance` (K, K) is of identity and expression, or of identity alone.
    """
    directions = _aligned_directions(model, len(covariance), np.arange(len(model.mean_shape)))
    variance = np.einsum("vik,vik->v", directions @ covariance.astype(np.float32), directions)
    return _millimetres(variance)


def region_deviation(model: FaceModel, covariance: np.ndarray) -> dict[str, float]:
    """Millimetres, expected distance (root mean square) over the vertices of each of `REGIONS`."""
    moments = model.derived(_region_moments, len(covariance))
    variance = np.einsum("rkl,kl->r", moments, covariance)
    return dict(zip(REGIONS, _millimetres(variance).tolist(), strict=True))


def vertex_regions(model: FaceModel) -> np.ndarray:
    """(V,) the number in `REGIONS` of each vertex's region."""
    shape = model.mean_shape
    points = model.markup.points(shape[None])[0]
    anchors = [(REGIONS.index(name), points[list(rows)]) for name, rows in ANCHORS.items()]
    anchors.append((REGIONS.index("cheeks"), np.array([points[list(rows)].mean(axis=0) for rows in CHEEKS])))
    anchors += [(REGIONS.index("forehead"), points[list(BROWS)] + [0, height, 0]) for height in FOREHEAD]
    distances = np.stack([np.linalg.norm(shape[:, None] - places, axis=2).min(axis=1) for _, places in anchors])
    nearest = np.array([number for number, _ in anchors])[distances.argmin(axis=0)]
    skin = np.where(distances.min(axis=0) < NEAR, nearest, REGIONS.index("ears and neck"))
    return np.where(model.skin > SKIN, skin, REGIONS.index("rest of the head"))


def face_vertices(model: FaceModel) -> np.ndarray:
    """(V,) bool: the face, by which heads are aligned."""
    return model.derived(vertex_regions) < len(FACE)


def _millimetres(variance: np.ndarray) -> np.ndarray:
    return np.sqrt(MILLIMETRES**2 * INFLATION**2 * np.maximum(variance, 0) + BEYOND**2)


def _aligned_directions(model: FaceModel, unknowns: int, rows: np.ndarray) -> np.ndarray:
    """(N, 3, K) float32 decimetres: the motions of N vertices, less the similarity transform of the face in each."""
    part = model.part(rows)
    bases = (part.identity_components.basis, part.expression_components.basis)
    moves = np.concatenate(bases)[:unknowns].reshape(unknowns, -1)
    generators = _similarities(part.mean_shape.astype(np.float64))
    inside = generators * np.repeat(face_vertices(model)[rows], 3)[:, None]
    similarity = np.linalg.solve(inside.T @ inside, inside.T.astype(np.float32) @ moves.T)
    left = moves - (generators @ similarity).T.astype(np.float32)
    return np.ascontiguousarray(left.reshape(unknowns, -1, 3).transpose(1, 2, 0), np.float32)


def _similarities(points: np.ndarray) -> np.ndarray:
    """(3 N, 7) small motions of (N, 3) points: shifts, turns about the axes, growth."""
    moves = np.zeros((len(points), 3, 7))
    moves[:, range(3), range(3)] = 1
    for axis, unit in enumerate(np.eye(3)):
        moves[:, :, 3 + axis] = np.cross(unit, points)
    moves[:, :, 6] = points
    return moves.reshape(-1, 7)


def _region_moments(model: FaceModel, unknowns: int) -> np.ndarray:
    """(R, K, K) float32: the mean over each region of the products of its vertices' motions."""
    rows = np.arange(0, len(model.mean_shape), THINNED)
    directions, region = _aligned_directions(model, unknowns, rows), model.derived(vertex_regions)[rows]
    parts = [directions[region == number].reshape(-1, unknowns) for number in range(len(REGIONS))]
    return np.stack([3 * part.T @ part / max(len(part), 1) for part in parts])
