"""depth, pncc and normals: pictures whose colours are measures of the surface; black where there is no head."""

from __future__ import annotations

import numpy as np

from deep3d.drawing.heads import Faces, drawn_heads, pixels_of
from deep3d.drawing.legend import draw_legend, grey
from deep3d.face_model import FaceModel
from deep3d.mesh import MILLIMETRES
from deep3d.photo import Photo

NEAREST, FARTHEST = 255, 40  # grey levels of depth: near is bright, and no part of a head is black


def depth_map(faces: Faces, photo: Photo | np.ndarray) -> np.ndarray:
    """(H, W) float32 millimetres from the camera to each head along the viewing direction, 0 where there is none.

    Each face has its own fitted camera: distances are comparable within a head, less between heads.
    """
    height, width = pixels_of(photo).shape[:2]
    depth = np.zeros((height, width), np.float32)
    for head in drawn_heads(faces, height, width):
        part, seen = head.window(depth), head.triangle >= 0
        part[seen] = head.depth[seen] * MILLIMETRES
    return depth


def draw_depth(faces: Faces, photo: Photo | np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: depth as grey, the nearest point of all heads white; the legend gives millimetres from there.

    Each head is measured from its own nearest point, so that each shows its relief.
    """
    picture = np.zeros_like(pixels_of(photo))
    heads = drawn_heads(faces, *picture.shape[:2])
    reliefs = [head.depth - head.depth.min(initial=np.inf) for head in heads]
    deepest = max((float(relief[np.isfinite(relief)].max(initial=0)) for relief in reliefs), default=0) or 1.0
    for head, relief in zip(heads, reliefs):
        seen = head.triangle >= 0
        level = np.rint(NEAREST + (FARTHEST - NEAREST) * relief[seen] / deepest)
        head.window(picture)[seen] = level.astype(np.uint8)[:, None]
    if heads:
        shades = grey(np.linspace(NEAREST, FARTHEST, 256))
        draw_legend(picture, shades, "0", f"{deepest * MILLIMETRES:.0f} mm behind the nearest point")
    return picture


def draw_pncc(faces: Faces, photo: Photo | np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the projected normalised coordinate code of Zhu et al. (2016).

    From "Face alignment across large poses". Red, green and blue are where on the mean face a pixel lies: from its left
    to right in the picture, from bottom to top, from back to front, each from 0 to 255.
    """
    picture = np.zeros_like(pixels_of(photo))
    for head in drawn_heads(faces, *picture.shape[:2]):
        code = head.interpolate(head.face.face_model.derived(normalised_coordinates))
        seen = head.triangle >= 0
        head.window(picture)[seen] = np.rint(255 * code[seen]).astype(np.uint8)
    return picture


def normalised_coordinates(model: FaceModel) -> np.ndarray:
    """(V, 3) float32 in [0, 1]: the mean shape's coordinates, each from its least to its largest."""
    low, high = model.mean_shape.min(axis=0), model.mean_shape.max(axis=0)
    return ((model.mean_shape - low) / (high - low)).astype(np.float32)


def draw_normals(faces: Faces, photo: Photo | np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: where the surface faces, (n + 1) / 2 * 255 for unit normals n in the camera's frame.

    Red is to the right of the picture, green up, blue toward the camera.
    """
    picture = np.zeros_like(pixels_of(photo))
    for head in drawn_heads(faces, *picture.shape[:2]):
        seen = head.triangle >= 0
        normal = head.interpolate(head.face.placed_normals)[seen]
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
        head.window(picture)[seen] = np.rint(127.5 * (normal + 1)).astype(np.uint8)
    return picture
