"""What foreign face models lack, computed from their mesh: a UV atlas, landmarks on triangles, a mirror map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from deep3d.errors import ExtraMissing, FaceModelInvalid

ATLAS_TEXELS = 1024  # a side, for which the charts are packed
GUTTER_TEXELS = 2  # between them


def unwrap(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A UV atlas of a (V, 3) mesh by xatlas: (U, 2) float32 in [0, 1] and the (T, 3) index of every corner into it.

    Takes half a minute for the Basel models.

    Raises: ExtraMissing.
    """
    try:
        import xatlas
    except ImportError as error:
        raise ExtraMissing("the UV atlas needs xatlas, which is not installed; pip install 'deep3d[models]'") from error
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
    """(V,) for each vertex of a mean face, the one nearest to its mirror image across x = 0."""
    return np.asarray(KDTree(vertices).query(vertices * [-1, 1, 1])[1], np.int32)
