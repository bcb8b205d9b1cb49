"""2d_sparse and 2d_dense: the landmarks of faces on the photo, and the visible vertices."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from deep3d.drawing.heads import DrawnHead, Faces, drawn_heads, pixels_of
from deep3d.drawing.strokes import draw_dots, draw_lines, draw_rings
from deep3d.landmarks import box_size
from deep3d.photo import Photo

PARTS: dict[str, tuple[tuple[int, ...], tuple[int, int, int]]] = {
    "jaw": (tuple(range(17)), (255, 214, 10)),
    "right brow": (tuple(range(17, 22)), (255, 122, 60)),
    "left brow": (tuple(range(22, 27)), (255, 122, 60)),
    "bridge of the nose": (tuple(range(27, 31)), (80, 220, 120)),
    "base of the nose": (tuple(range(31, 36)), (80, 220, 120)),
    "right eye": ((*range(36, 42), 36), (60, 190, 255)),
    "left eye": ((*range(42, 48), 42), (60, 190, 255)),
    "outer lips": ((*range(48, 60), 48), (255, 90, 150)),
    "inner lips": ((*range(60, 68), 60), (255, 90, 150)),
}
"""The landmarks along each line, and its colour; right and left are the person's."""
HIDDEN_OPACITY = 0.45  # of lines to landmarks that the head hides

_SEGMENTS = np.array([pair for line, _ in PARTS.values() for pair in pairwise(line)])
_SEGMENT_COLOURS = np.array([colour for line, colour in PARTS.values() for _ in line[1:]])
_COLOURS = np.array([next(colour for line, colour in PARTS.values() if point in line) for point in range(68)])
_DOT_SPACING = 0.02  # of a face's size: vertices drawn as dots are about so far apart
_CLOSE = 0.03  # decimetres behind the surface, from which a vertex is hidden
_DENSE_COLOUR = np.array([90, 235, 255])


def draw_landmarks(faces: Faces, photo: Photo | np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the photo with the 68 landmarks of each face, and lines along the parts of the face.

    Full dots are visible landmarks; rings with faint lines are hidden by the head itself.
    """
    picture = pixels_of(photo).copy()
    for head in drawn_heads(faces, *picture.shape[:2]):
        _draw_landmarks(picture, head)
    return picture


def hidden_landmarks(head: DrawnHead) -> np.ndarray:
    """(68,) bool, which of a face's landmarks its own head hides."""
    face = head.face
    return ~head.shows(face.to_photo(face.face_model.markup.points(face.vertices[None])[0]))


def draw_dense(faces: Faces, photo: Photo | np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the photo with dots at the visible vertices of each face, evenly thinned out."""
    picture = pixels_of(photo).copy()
    for head in drawn_heads(faces, *picture.shape[:2]):
        shown = head.face.face_model.derived(_spread_out)
        points = head.points[shown]
        toward = (head.face.placed_normals[shown] * _to_camera(head)[shown]).sum(axis=1)
        seen = head.shows(points, _CLOSE) & (toward > 0)
        shade = 0.55 + 0.45 * np.clip(toward[seen, None], 0, 1)
        radius = max(0.5, 0.0035 * float(box_size(head.face.landmarks68)))
        draw_dots(picture, points[seen, :2], radius, shade * _DENSE_COLOUR, 0.9)
    return picture


def _draw_landmarks(picture: np.ndarray, head: DrawnHead) -> None:
    points, hidden = head.face.landmarks68, hidden_landmarks(head)
    size = float(box_size(points))
    thickness, radius = max(1.0, 0.006 * size), max(1.4, 0.011 * size)
    faint = hidden[_SEGMENTS].any(axis=1)
    for chosen, opacity in ((faint, HIDDEN_OPACITY), (~faint, 0.9)):
        draw_lines(picture, points[_SEGMENTS[chosen]], thickness, _SEGMENT_COLOURS[chosen], opacity)
    draw_rings(picture, points[hidden], radius, max(0.8, 0.4 * radius), _COLOURS[hidden], 0.9)
    draw_dots(picture, points[~hidden], radius + max(0.5, 0.3 * radius), np.array([20, 20, 20]), 0.7)
    draw_dots(picture, points[~hidden], radius, _COLOURS[~hidden])


def _to_camera(head: DrawnHead) -> np.ndarray:
    """(V, 3) unit vectors from the placed vertices to the camera."""
    way = np.array([0, 0, head.face.camera.distance], np.float32) - head.face.placed_vertices
    return way / np.linalg.norm(way, axis=1, keepdims=True)


def _spread_out(model) -> np.ndarray:
    """Vertices of the mean face that are about `_DOT_SPACING` apart, one for each cell of a grid in space."""
    points = model.landmarks(model.mean_shape[None])[0]
    cell = _DOT_SPACING * float(box_size(points[:, :2]))
    cells = np.floor(model.mean_shape / cell).astype(np.int64)
    return np.sort(np.unique(cells, axis=0, return_index=True)[1])
