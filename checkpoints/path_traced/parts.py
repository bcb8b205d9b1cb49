"""The pieces that a face model's mesh consists of: skin, eyes, teeth, the inside of the mouth."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from deep3d.face_model import FaceModel
from deep3d.face_model.dense_landmarks import irises

NOSE_TIP = 30


def surface(model: FaceModel) -> np.ndarray:
    """Vertices (P,) of the skin and what continues it: the piece that the nose belongs to."""
    pieces = _pieces(model)
    return np.flatnonzero(pieces == pieces[model.landmark_vertices[NOSE_TIP]])


def eyeballs(model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (P,) of the eyeball on the image left, and of the other."""
    pieces = _pieces(model)
    first, second = (np.flatnonzero(pieces == pieces[iris]) for iris in irises(model))
    return first, second


def _pieces(model: FaceModel) -> np.ndarray:
    """(V,) number of the piece of the mesh that a vertex belongs to."""
    first, second, third = model.triangles.T
    size = len(model.mean_shape)
    edges = coo_matrix((np.ones(2 * len(first)), (np.r_[first, second], np.r_[second, third])), (size, size))
    return connected_components(edges, directed=False)[1]
