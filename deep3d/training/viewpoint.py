"""Where the head stands before the camera, how alignment crops it, and the labels that the fixed camera gives it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.alignment import CROP_PIXELS_PER_UNIT, STANDARD_POINTS
from deep3d.camera import CROP_SIZE, rotation_matrix
from deep3d.fitting.pose import fit_pose


@dataclass(frozen=True)
class Views:
    """B heads as the camera sees them in their crops."""

    pixels: np.ndarray  # (B, V, 2) crop pixels
    depth: np.ndarray  # (B, V) decimetres from the camera
    turn: np.ndarray  # (B, 3, 3) the true rotation
    rotation: np.ndarray  # (B, 3) label: radians
    translation: np.ndarray  # (B, 3) label: decimetres


def random_views(rng: np.random.Generator, vertices: np.ndarray, five: np.ndarray, label_rows: np.ndarray) -> Views:
    """Turn (B, V, 3) vertices, photograph them from 3.5 to 25 dm, and crop by five jittered points.

    `five` are the (B, 5, 3) alignment points on the vertices, `label_rows` the vertices that the labels are fitted to.
    """
    count = len(vertices)
    rotation = _random_rotation(rng, count)
    turn = rotation_matrix(rotation)
    distance = np.exp(rng.uniform(np.log(3.5), np.log(25.0), count)).astype(np.float32)
    aside = rng.normal(0, 0.06, (count, 2)) * distance[:, None]  # not every face is in the middle of its photo
    placed, points = (v @ turn.mT for v in (vertices, five))
    depth = distance[:, None] - placed[..., 2]
    flat = _pinhole(placed, distance, aside)
    scale, offset = _crop(rng, _pinhole(points, distance, aside), np.abs(rotation[:, 1]))
    pixels = (flat * [1, -1] * scale[:, None, None] + offset[:, None]).astype(np.float32)
    label_rotation, label_translation = fit_pose(vertices[:, label_rows], pixels[:, label_rows], rotation)
    return Views(pixels, depth.astype(np.float32), turn, label_rotation, label_translation)


def _random_rotation(rng: np.random.Generator, count: int) -> np.ndarray:
    """Mostly frontal heads, a third of any yaw to 95 degrees: (B, 3) radians."""
    frontal = rng.random(count) < 0.65
    yaw = np.where(frontal, rng.normal(0, 18, count), rng.uniform(-95, 95, count))
    pitch = rng.normal(0, 12, count)
    roll = rng.normal(0, 1, count) * np.where(rng.random(count) < 0.85, 8, 25)
    return np.radians(np.stack([pitch, yaw, roll], axis=1)).astype(np.float32)


def _pinhole(points: np.ndarray, distance: np.ndarray, aside: np.ndarray) -> np.ndarray:
    """Perspective image (B, N, 2), y up, with focal length 1."""
    return (points[..., :2] + aside[:, None]) / (distance[:, None, None] - points[..., 2:])


def _crop(rng: np.random.Generator, five: np.ndarray, yaw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale (B,) and offset (B, 2) from the image plane to crop pixels, as alignment by noisy detections gives them.

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


class HeadCamera:
    """The camera that took one head: sees further points of head space as it saw the head's own vertices."""

    def __init__(self, vertices: np.ndarray, pixels: np.ndarray, depth: np.ndarray, turn: np.ndarray) -> None:
        self.pixels, self.depth, self._turn = pixels, depth, turn
        placed = vertices[::50] @ turn.T
        near, seen = depth[::50], pixels[::50]
        self._distance = float((near + placed[:, 2]).mean())
        # a pixel is affine in x / depth and 1 / depth: solve for scale, shift aside and principal point
        self._rows = [
            np.linalg.lstsq(_pinhole_terms(placed[:, k] * sign, near), seen[:, k], rcond=None)[0]
            for k, sign in enumerate((1, -1))
        ]
        self.pixels_per_dm = float(self._rows[0][0]) / self._distance

    def see(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (N, 2) and depths (N,) of points (N, 3) in head space."""
        placed = points @ self._turn.T
        depth = self._distance - placed[:, 2]
        pixels = [_pinhole_terms(placed[:, k] * sign, depth) @ self._rows[k] for k, sign in enumerate((1, -1))]
        return np.stack(pixels, axis=1).astype(np.float32), depth.astype(np.float32)


def _pinhole_terms(across: np.ndarray, depth: np.ndarray) -> np.ndarray:
    return np.stack([across / depth, 1 / depth, np.ones(len(depth))], axis=1)
