"""The perspective camera of Deep3D: from model space to crop pixels. The only place where y is flipped.

Model space is right-handed in decimetres: x to the right of the picture, y up, z toward the camera, which stands at
(0, 0, distance) and looks down -z. Pixels run right and down, the centre of the top-left one is (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.arrays import Array, array_namespace
from deep3d.errors import ShapeError

CROP_SIZE = 224  # pixels, width and height of the network's input


@dataclass(frozen=True)
class Camera:
    """A pinhole camera. The defaults are those of Deep3DFaceRecon, whose y-up centre 112 is row 223 - 112 = 111."""

    focal_length_px: float = 1015.0
    column: float = 112.0  # principal point, pixels
    row: float = 111.0
    distance: float = 10.0  # decimetres

    def matrix(self) -> np.ndarray:
        """(3, 4) homogeneous matrix from model-space decimetres to crop pixels."""
        f, d = self.focal_length_px, self.distance
        return np.array(
            [
                [f, 0, -self.column, self.column * d],
                [0, -f, -self.row, self.row * d],
                [0, 0, -1, d],
            ]
        )


DEEP3D_CAMERA = Camera()


def rotation_matrix(angles: Array) -> Array:
    """Rotation matrices (B, 3, 3) for column vectors, R = Rz Ry Rx, of (B, 3) angles about x, y, z in radians."""
    xp = array_namespace(angles)
    (sx, sy, sz), (cx, cy, cz) = xp.sin(angles).T, xp.cos(angles).T
    rows = [
        *[cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        *[sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        *[-sy, cy * sx, cy * cx],
    ]
    return xp.reshape(xp.stack(rows, axis=-1), (-1, 3, 3))


def rotation_angles(matrices: np.ndarray) -> np.ndarray:
    """Angles (B, 3) about x, y, z in radians, of (B, 3, 3) rotation matrices: the inverse of `rotation_matrix`."""
    x = np.arctan2(matrices[:, 2, 1], matrices[:, 2, 2])
    y = np.arcsin(np.clip(-matrices[:, 2, 0], -1, 1))
    z = np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0])
    return np.stack([x, y, z], axis=1)


def place(vertices: Array, rotation: Array, translation: Array) -> Array:
    """Turn and move (B, V, 3) vertices by (B, 3) angles in radians and a (B, 3) translation in decimetres."""
    turn = rotation_matrix(rotation)
    return vertices @ turn.mT + translation[:, None, :]


def depth(vertices: Array, camera: Camera = DEEP3D_CAMERA) -> Array:
    """Distance (B, V) in decimetres of placed (B, V, 3) vertices along the viewing direction."""
    return camera.distance - vertices[..., 2]


def project(vertices: Array, camera: Camera = DEEP3D_CAMERA) -> Array:
    """Project placed (B, V, 3) vertices in decimetres to (B, V, 2) crop pixels.

    Raises: ShapeError if the last axis is not 3.
    """
    if vertices.shape[-1] != 3:
        raise ShapeError(f"vertices: expected shape (..., 3), got {tuple(vertices.shape)}")
    xp = array_namespace(vertices)
    scale = camera.focal_length_px / depth(vertices, camera)
    return xp.stack([camera.column + scale * vertices[..., 0], camera.row - scale * vertices[..., 1]], axis=-1)


@dataclass(frozen=True)
class Pose:
    """Head pose in degrees, with the signs that people use."""

    yaw: float  # positive: face turned to the right of the picture
    pitch: float  # positive: looking up
    roll: float  # positive: head tipped to the right of the picture

    @classmethod
    def from_rotation(cls, rotation: np.ndarray) -> Pose:
        """From (3,) angles about x, y, z in radians."""
        x, y, z = np.degrees(np.asarray(rotation, np.float64))
        return cls(yaw=float(y), pitch=float(-x), roll=float(-z))

    def to_rotation(self) -> np.ndarray:
        """(3,) float32 angles about x, y, z in radians."""
        return np.radians(np.array([-self.pitch, self.yaw, -self.roll], np.float32))


NEAR, FAR = 0.5, 100.0  # decimetres, the range of depths that clip space keeps apart


def clip_space(pixels: Array, depth: Array, size: tuple[int, int]) -> Array:
    """Clip coordinates (B, V, 4) for a picture of `size` = (height, width) from (B, V, 2) pixels and (B, V) depths.

    OpenGL's convention, except that y points down like the rows, so row 0 is the top; w is the depth.
    """
    xp = array_namespace(pixels, depth)
    height, width = size
    x = (pixels[..., 0] + 0.5) * (2 / width) - 1
    y = (pixels[..., 1] + 0.5) * (2 / height) - 1
    z = (FAR + NEAR) / (FAR - NEAR) * depth - 2 * FAR * NEAR / (FAR - NEAR)
    return xp.stack([x * depth, y * depth, z, depth], axis=-1)
