"""What a picture shows of the heads in it: fragments of each in a window of its own, the farthest head first."""

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
"""Decimetres that a point lies behind what the picture shows there, from which the head hides it: lips that are closed
hide the inner ones by less."""


@dataclass(frozen=True, eq=False)
class DrawnHead:
    """One head where a picture shows it. Pixels are the picture's, but for arrays of the window."""

    face: Reconstruction
    points: np.ndarray  # (V, 3) columns and rows of the vertices, and their depth in decimetres
    left: int  # first column of the window
    top: int  # first row
    triangles: np.ndarray  # (F, 3) int32 vertices of the triangles that face the camera
    front: np.ndarray  # (T,) bool, which ones of the model's these are
    fragments: Fragments  # of the window, B = 1, with these triangles
    depth: np.ndarray  # (h, w) float32 decimetres from the camera, infinite where there is no head

    @property
    def triangle(self) -> np.ndarray:
        """(h, w) int32, which of the F each pixel of the window shows, -1 for none."""
        return self.fragments.triangle[0]

    @property
    def weights(self) -> np.ndarray:
        """(h, w, 2) float32 barycentric weights of its first two corners."""
        return self.fragments.weights[0]

    def window(self, picture: np.ndarray) -> np.ndarray:
        """The view of a picture (H, W, ...) that the window is."""
        height, width = self.triangle.shape
        return picture[self.top : self.top + height, self.left : self.left + width]

    def interpolate(self, attributes: np.ndarray) -> np.ndarray:
        """Attributes (V, C) of the vertices at each pixel of the window, (h, w, C), zero where there is no head."""
        out = np.empty((*self.triangle.shape, attributes.shape[1]), np.float32)
        interpolate_into(np.ascontiguousarray(attributes, np.float32), self.triangles, self.triangle, self.weights, out)
        return out

    def shows(self, points: np.ndarray, slack: float = HIDDEN) -> np.ndarray:
        """(N,) bool, which of (N, 3) columns, rows and depths the head itself does not hide.

        Points outside of the picture count as shown.
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
    """The heads that a picture of that size shows, the farthest first: those that appear larger are nearer.

    Cameras are fitted to each face by itself, so that their distances do not compare as well as their sizes.
    """
    group = [faces] if isinstance(faces, Reconstruction) else [*faces]
    heads = [_drawn(face, height, width) for face in sorted(group, key=pixels_per_decimetre)]
    return [head for head in heads if head is not None]


def pixels_per_decimetre(face: Reconstruction) -> float:
    """How large the photo shows the middle of a head."""
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
