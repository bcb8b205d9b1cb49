"""The heads in a picture: fragments of each in its own window, the farthest head first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deep3d.camera import FAR, NEAR, clip_space
from deep3d.errors import ShapeError
from deep3d.photo import Photo
from deep3d.reconstruction import Reconstruction
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.interface import Fragments
from deep3d.rendering.kernels import fronts, interpolate_into

Faces = Reconstruction | Sequence[Reconstruction]
"""One face, or those of a group."""

HIDDEN = 0.12
"""A point so many decimetres behind the visible surface is hidden. Closed lips cover the inner ones by less."""


@dataclass(frozen=True, eq=False)
class DrawnHead:
    """One head in a picture. Pixels are the picture's, except in arrays of the window."""

    face: Reconstruction
    points: np.ndarray  # (V, 3) columns and rows of the vertices, and their depth in decimetres
    left: int  # first column of the window
    top: int  # first row
    triangles: np.ndarray  # (F, 3) int32 vertices of the triangles that face the camera
    front: np.ndarray  # (T,) bool, their place among the model's triangles
    fragments: Fragments  # of the window, B = 1, with these triangles
    depth: np.ndarray  # (h, w) float32 decimetres from the camera, infinite where there is no head

    @property
    def triangle(self) -> np.ndarray:
        """(h, w) int32, the triangle of the F at each pixel of the window, -1 for none."""
        return self.fragments.triangle[0]

    @property
    def weights(self) -> np.ndarray:
        """(h, w, 2) float32 barycentric weights of its first two corners."""
        return self.fragments.weights[0]

    def window(self, picture: np.ndarray) -> np.ndarray:
        """The window as a view of a picture (H, W, ...)."""
        height, width = self.triangle.shape
        return picture[self.top : self.top + height, self.left : self.left + width]

    def interpolate(self, attributes: np.ndarray) -> np.ndarray:
        """Attributes (V, C) of the vertices at each pixel of the window, (h, w, C), zero where there is no head."""
        out = np.empty((*self.triangle.shape, attributes.shape[1]), np.float32)
        interpolate_into(np.ascontiguousarray(attributes, np.float32), self.triangles, self.triangle, self.weights, out)
        return out

    def shows(self, points: np.ndarray, slack: float = HIDDEN) -> np.ndarray:
        """(N,) bool, which points (N, 3) of column, row and depth the head itself does not hide.

        Points outside the picture count as visible.
        """
        height, width = self.triangle.shape
        column = np.rint(points[:, 0]).astype(np.int64) - self.left
        row = np.rint(points[:, 1]).astype(np.int64) - self.top
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        nearest = np.full(len(points), np.inf, np.float32)
        nearest[inside] = self.depth[row[inside], column[inside]]
        return points[:, 2] <= nearest + slack


def pixels_of(photo: Photo | np.ndarray) -> np.ndarray:
    """The pixels (H, W, 3) uint8 of a photo.

    Raises: ShapeError for arrays of another shape or type.
    """
    pixels = photo.pixels if isinstance(photo, Photo) else photo
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ShapeError(f"photo: expected (H, W, 3) uint8, got {pixels.shape} {pixels.dtype}")
    return pixels


def drawn_heads(faces: Faces, height: int, width: int) -> list[DrawnHead]:
    """The heads in a picture of that size, the farthest first: heads that appear larger are nearer.

    Each face has its own fitted camera, so sizes are more comparable than distances.
    """
    group = [faces] if isinstance(faces, Reconstruction) else [*faces]
    heads = [_drawn(face, height, width) for face in sorted(group, key=pixels_per_decimetre)]
    return [head for head in heads if head is not None]


def pixels_per_decimetre(face: Reconstruction) -> float:
    """The scale of the middle of a head in the photo."""
    distance = float(face.to_photo(np.zeros((1, 3)))[0, 2])
    return float(face.camera.focal_length_px * face.crop.matrix[0, 0] / distance)


def _drawn(face: Reconstruction, height: int, width: int) -> DrawnHead | None:
    points = face.to_photo(face.vertices).astype(np.float32)
    low = np.clip(np.floor(points[:, :2].min(axis=0)).astype(int) - 1, 0, [width, height])
    high = np.clip(np.ceil(points[:, :2].max(axis=0)).astype(int) + 2, 0, [width, height])
    if (high <= low).any() or points[:, 2].min() <= NEAR:
        return None
    size = int(high[1] - low[1]), int(high[0] - low[0])
    pixels = points[None, :, :2] - low.astype(np.float32)
    front = fronts(pixels[0], face.face_model.triangles)
    triangles = face.face_model.triangles[front]
    clip = clip_space(pixels, points[None, :, 2], size).astype(np.float32)
    fragments = CpuRasterizer().rasterize(clip, triangles, size)
    depth = 2 * FAR * NEAR / (FAR + NEAR - np.minimum(fragments.depth[0], 1) * (FAR - NEAR))
    depth[fragments.triangle[0] < 0] = np.inf
    return DrawnHead(
        face,
        points,
        int(low[0]),
        int(low[1]),
        triangles,
        front,
        fragments,
        depth.astype(np.float32),
    )
