"""pose: a box round each head, its axes, and its angles in degrees."""

from __future__ import annotations

import numpy as np

from deep3d.drawing.heads import Faces, drawn_heads, pixels_of
from deep3d.drawing.strokes import draw_lines, draw_words, word_width
from deep3d.face_model import FaceModel
from deep3d.landmarks import box_size
from deep3d.photo import Photo
from deep3d.reconstruction import Reconstruction

AXIS_COLOURS = np.array([[240, 70, 70], [80, 215, 90], [80, 150, 255]])
"""Of the head's own axes: to the right of the picture, up, and where it faces."""
_BOX_COLOUR = np.array([255, 225, 60])
_BACK_OPACITY = 0.5
_CORNERS = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)])  # the first four are behind
_BACK = [(0, 1), (1, 3), (3, 2), (2, 0), (0, 4), (1, 5), (2, 6), (3, 7)]
_FRONT = [(4, 5), (5, 7), (7, 6), (6, 4)]
_AXIS_LENGTH = 0.55  # of the box's height


def draw_pose(faces: Faces, photo: Photo | np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the photo with a box round each face, its axes, and yaw, pitch and roll as in `Pose`."""
    picture = pixels_of(photo).copy()
    for head in drawn_heads(faces, *picture.shape[:2]):
        _draw_pose(picture, head.face)
    return picture


def _draw_pose(picture: np.ndarray, face: Reconstruction) -> None:
    low, high = face.face_model.derived(_face_box)
    corners = face.to_photo(low + _CORNERS * (high - low))[:, :2]
    width = max(1.0, 0.009 * float(box_size(face.landmarks68)))
    draw_lines(picture, corners[_BACK], width, _BOX_COLOUR, _BACK_OPACITY)
    draw_lines(picture, corners[_FRONT], 1.6 * width, _BOX_COLOUR)
    root = face.face_model.landmarks(face.vertices[None])[0, 27]
    ends = root + _AXIS_LENGTH * (high - low)[1] * np.eye(3)
    seen = face.to_photo(np.concatenate([root[None], ends]))[:, :2]
    axes = np.stack([np.repeat(seen[:1], 3, axis=0), seen[1:]], axis=1)
    draw_lines(picture, axes, 2 * width, AXIS_COLOURS)
    _tell(picture, face, corners, width)


def _tell(picture: np.ndarray, face: Reconstruction, corners: np.ndarray, width: float) -> None:
    """Write the angles above the box, or inside it where the picture ends."""
    pose = face.pose
    words = f"yaw {pose.yaw:+.0f}°  pitch {pose.pitch:+.0f}°  roll {pose.roll:+.0f}°"
    size = int(np.clip(9 * width, 12, 40))
    left = np.clip(
        corners[:, 0].mean() - word_width(words, size) / 2, 0, max(0, picture.shape[1] - word_width(words, size))
    )
    draw_words(picture, words, float(left), max(0.0, float(corners[:, 1].min()) - 1.6 * size), size)


def _face_box(model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest coordinates (3,) of the mean face's skin, decimetres."""
    skin = model.mean_shape[model.skin > 0.5]
    return skin.min(axis=0), skin.max(axis=0)
