"""Poses of heads in front of cameras, and the crops of their photos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.alignment import CROP_PIXELS_PER_UNIT, STANDARD_POINTS
from deep3d.arrays import Array, array_namespace
from deep3d.camera import CROP_SIZE, rotation_matrix

NEAREST, FARTHEST = 2.8, 25.0  # decimetres
BARREL = 0.08  # standard deviation of the distortion, of what phones leave uncorrected


@dataclass(frozen=True)
class Standpoints:
    """Poses of B heads in front of cameras, and the crops of their photos. All numpy, or all torch."""

    rotation: Array  # (B, 3) of the head, radians
    distance: Array  # (B,) decimetres from the head's origin
    aside: Array  # (B, 2) decimetres: faces may be off the middle of their photo
    barrel: Array  # (B,) radial distortion at distance 1 from the middle, for focal length 1
    scale: Array  # (B,) crop pixels for focal length 1
    offset: Array  # (B, 2) crop pixels

    def see(self, points: Array) -> tuple[Array, Array]:
        """Crop pixels (B, N, 2) and depths (B, N) in decimetres of points (B, N, 3) in head space."""
        xp = array_namespace(points)
        placed = points @ self.turn.mT
        depth = self.distance[:, None] - placed[..., 2]
        flat = _lens(_pinhole(placed, self.distance, self.aside), self.barrel)
        downward = xp.stack([flat[..., 0], -flat[..., 1]], axis=-1)
        pixels = downward * self.scale[:, None, None] + self.offset[:, None]
        return xp.astype(pixels, xp.float32), xp.astype(depth, xp.float32)

    def see_lines(self, points: Array, nearer: float) -> tuple[Array, Array]:
        """Crop pixels (B, L, N, 2) and depths (B, L, N), less `nearer` decimetres, of points (B, L, N, 3)."""
        xp = array_namespace(points)
        shape = points.shape[:3]
        pixels, depth = self.see(xp.reshape(points, (shape[0], -1, 3)))
        return xp.reshape(pixels, (*shape, 2)), xp.reshape(depth, shape) - nearer

    @property
    def turn(self) -> Array:
        """Rotation matrices (B, 3, 3)."""
        return rotation_matrix(self.rotation)

    @property
    def pixels_per_dm(self) -> Array:
        """Size (B,) of a decimetre at the head."""
        return self.scale / self.distance


def random_standpoints(rng: np.random.Generator, five: np.ndarray) -> Standpoints:
    """Photograph heads from as near as a selfie, and crop by five jittered points, (B, 5, 3) in head space."""
    count = len(five)
    rotation = _random_rotation(rng, count)
    distance = np.exp(rng.uniform(np.log(NEAREST), np.log(FARTHEST), count)).astype(np.float32)
    aside = rng.normal(0, 0.06, (count, 2)) * distance[:, None]
    barrel = rng.normal(0, BARREL, count)
    seen = _lens(_pinhole(five @ rotation_matrix(rotation).mT, distance, aside), barrel)
    scale, offset = _crop(rng, seen, np.abs(rotation[:, 1]))
    return Standpoints(rotation, distance, aside, barrel, scale, offset)


def _random_rotation(rng: np.random.Generator, count: int) -> np.ndarray:
    """Mostly frontal heads, nearly half of any yaw to 95 degrees: (B, 3) radians."""
    frontal = rng.random(count) < 0.55
    yaw = np.where(frontal, rng.normal(0, 18, count), rng.uniform(-95, 95, count))
    pitch = rng.normal(0, 12, count)
    roll = rng.normal(0, 1, count) * np.where(rng.random(count) < 0.85, 8, 25)
    return np.radians(np.stack([pitch, yaw, roll], axis=1)).astype(np.float32)


def _pinhole(points: Array, distance: Array, aside: Array) -> Array:
    """Perspective image (B, N, 2), y up, with focal length 1."""
    return (points[..., :2] + aside[:, None]) / (distance[:, None, None] - points[..., 2:])


def _lens(flat: Array, barrel: Array) -> Array:
    """Image points (B, N, 2) as lenses with radial distortion (B,) see them (Brown, 1966, the first term)."""
    xp = array_namespace(flat)
    return flat * (1 + barrel[:, None, None] * xp.sum(flat * flat, axis=-1, keepdims=True))


def _crop(rng: np.random.Generator, five: np.ndarray, yaw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale (B,) and offset (B, 2) from the image plane to crop pixels, from alignment by noisy detections.

    Detections scatter by 0.8 to 1.7% of the face box, more on turned heads; the second pass of alignment by less.
    """
    count = len(five)
    face = np.linalg.norm(five.max(axis=1) - five.min(axis=1), axis=1)
    level = np.where(rng.random(count) < 0.4, 0.008, 0.03) * (1 + 1.5 * yaw)
    noisy = five + rng.normal(size=five.shape) * (level * face)[:, None, None]
    noisy = noisy + rng.normal(size=(count, 1, 2)) * (0.5 * level * face)[:, None, None]
    system = np.concatenate([STANDARD_POINTS, np.ones((5, 1))], axis=1)
    rows = np.linalg.pinv(system) @ noisy  # (B, 4, 2): the affine rows of alignment.py
    scale = CROP_PIXELS_PER_UNIT / np.linalg.norm(rows[:, :3], axis=1).mean(axis=1)
    scale *= np.exp(rng.normal(0, 0.5, count) * level)
    centre = np.array([CROP_SIZE / 2, CROP_SIZE / 2 - 1]) + rng.uniform(-0.5, 0.5, (count, 2))
    return scale, centre - rows[:, 3] * [1, -1] * scale[:, None]
