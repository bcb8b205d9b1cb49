"""What face models of others lack: a UV atlas, landmarks on triangles, a mirror map and a skin mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from deep3d.errors import ExtraMissing, FaceModelInvalid
from deep3d.landmarks import BROWS, LIPS

ATLAS_TEXELS = 1024  # a side, for which the charts are packed
GUTTER_TEXELS = 2  # between them
MOUTH_DEPTH = 0.05  # decimetres behind the lips, where the inside of the mouth begins
EAR_LENGTH = 0.35  # decimetres from the jaw's upper ends to the back of the ears
NOSE_BASE, CHIN, JAW_ENDS = 33, 8, (0, 16)  # landmarks
EYES = (slice(36, 42), slice(42, 48))
OUTER_LIPS = slice(48, 60)


def unwrap(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A UV atlas of a (V, 3) mesh by xatlas: (U, 2) float32 in [0, 1] and the (T, 3) index of every corner into it.

    Takes half a minute for the Basel models.

    Raises: ExtraMissing.
    """
    try:
        import xatlas
    except ImportError as error:
        raise ExtraMissing("xatlas makes the UV atlas and is not installed; pip install 'deep3d[models]'") from error
    atlas = xatlas.Atlas()
    atlas.add_mesh(vertices.astype(np.float32), triangles.astype(np.uint32))
    packing = xatlas.PackOptions()
    packing.resolution, packing.padding = ATLAS_TEXELS, GUTTER_TEXELS
    atlas.generate(pack_options=packing)
    _, corners, uv = atlas[0]
    return uv.astype(np.float32), corners.astype(np.int32)


def at_vertices(path: Path, vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks that are vertices (68,), as the number of a triangle and the weights (68, 3) of its corners.

    Raises: FaceModelInvalid if one of the vertices is in no triangle.
    """
    corners = triangles[:, :, None] == vertices
    holders = corners.any(axis=1)
    if not holders.any(axis=0).all():
        raise FaceModelInvalid(f"{path}: not written, a landmark is at a vertex without triangles; check the source")
    holder = holders.argmax(axis=0)
    return holder.astype(np.int32), corners[holder, :, np.arange(len(vertices))].astype(np.float32)


def mirror_map(vertices: np.ndarray) -> np.ndarray:
    """(V,) for each vertex of a mean face the one nearest to its mirror image; the middle of the face is x = 0."""
    return np.asarray(KDTree(vertices).query(vertices * [-1, 1, 1])[1], np.int32)


def skin_mask(vertices: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """(V,) uint8 for a mean face (V, 3) with landmarks (68, 3): 255 on face, ears and neck, 0 on eyes, mouth and scalp.

    By the proportions of a face: the brows lie as far below the hairline as above the base of the nose.
    """
    x, y, z = vertices.T
    brows = landmarks[BROWS, 1].mean()
    hairline = 2 * brows - landmarks[NOSE_BASE, 1]
    behind_ears = z < landmarks[JAW_ENDS, 2].mean() - EAR_LENGTH
    scalp = (y > hairline) | (behind_ears & (y > landmarks[CHIN, 1]))
    in_mouth = _inside(landmarks[OUTER_LIPS], x, y) & (z < landmarks[LIPS, 2].min() - MOUTH_DEPTH)
    in_eye = np.any([_inside(landmarks[eye], x, y) for eye in EYES], axis=0)
    return np.where(scalp | in_mouth | in_eye, 0, 255).astype(np.uint8)


def _inside(outline: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether points (V,) lie in an outline (N, 3) seen from the front: an odd number of sides is to their right."""
    inside = np.zeros(len(x), bool)
    for (x0, y0, _), (x1, y1, _) in zip(outline, np.roll(outline, -1, axis=0)):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside
