"""The head that hair grows on, as the photo shows it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deep3d.camera import FAR, NEAR, clip_space
from deep3d.face_model import FaceModel
from deep3d.hair.mask import HairMask
from deep3d.hair.model import HairModel
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.kernels import fronts


@dataclass(frozen=True, eq=False)
class Head:
    """Points are in model space, decimetres; the grid's are (POINTS, ...)."""

    skin: np.ndarray  # (POINTS, 3) where the grid's rays leave the skin
    directions: np.ndarray  # (POINTS, 3) of the rays
    camera: np.ndarray  # (3,) where the photo was taken from
    depth: np.ndarray  # (h, w) of the head in the mask's pixels, decimetres, infinite beside it
    _matrix: np.ndarray  # (3, 4) homogeneous, from model space to the mask's pixels

    @classmethod
    def of(
        cls, vertices: np.ndarray, photo_matrix: np.ndarray, face_model: FaceModel, mask: HairMask, model: HairModel
    ) -> Head:
        """Of a head with vertices (V, 3), which (3, 4) `photo_matrix` takes to photo pixels."""
        to_mask = np.array([[1, 0, -mask.origin[0]], [0, 1, -mask.origin[1]], [0, 0, mask.step]]) / mask.step
        matrix = to_mask @ photo_matrix
        camera = -np.linalg.solve(photo_matrix[:, :3], photo_matrix[:, 3])
        places, depth = _projected(vertices, matrix)
        nearest = _nearest(places, depth, face_model.triangles, mask.hair.shape)
        return cls(model.skin(vertices, face_model), model.directions, camera, nearest, matrix)

    def to_mask(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the mask shows points (N, 3): (N, 2) columns and rows; and how far away they are, (N,) decimetres."""
        return _projected(points, self._matrix)

    @cached_property
    def toward(self) -> np.ndarray:
        """(POINTS,) cosines between the grid's rays and the view."""
        return (self.view(self.skin) * self.directions).sum(axis=1)

    def view(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) unit directions from points (N, 3) to the camera."""
        way = self.camera - points
        return way / np.linalg.norm(way, axis=1, keepdims=True)


def _projected(points: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    projected = points @ matrix[:, :3].T + matrix[:, 3]
    return projected[:, :2] / projected[:, 2:], projected[:, 2]


def _nearest(places: np.ndarray, depth: np.ndarray, triangles: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    pixels = places[None].astype(np.float32)
    front = triangles[fronts(pixels[0], triangles)]
    clip = clip_space(pixels, depth[None].astype(np.float32), size).astype(np.float32)
    fragments = CpuRasterizer().rasterize(clip, front, size)
    nearest = 2 * FAR * NEAR / (FAR + NEAR - np.minimum(fragments.depth[0], 1) * (FAR - NEAR))
    return np.where(fragments.triangle[0] >= 0, nearest, np.inf).astype(np.float32)
