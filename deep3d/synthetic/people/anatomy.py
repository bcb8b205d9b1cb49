"""Anatomy of a face model for the head generator: where hair and beards grow, and ambient occlusion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.face_model.dense_landmarks import irises
from deep3d.rendering.openness import sky_visibility

MOUTH_OPENNESS, SKIN_OPENNESS = 0.6, 0.1  # smallest values: the mean head's mouth is shut, a laughing one's is open


@dataclass(frozen=True)
class Anatomy:
    """Fields over the V vertices of a face model's mean head."""

    openness: np.ndarray  # (V,) share of the surrounding light that reaches the vertex
    beard: np.ndarray  # (V,) in [0, 1]
    scalp: np.ndarray  # (V,) in [0, 1]
    grain: np.ndarray  # (V, 2) coordinates of fine texture: azimuth in radians, height in decimetres
    skull: np.ndarray  # (2, 3) centre and half axes of the hairy part of the head, decimetres
    forehead: np.ndarray  # (V,) in [0, 1], where its lines are
    crows_feet: np.ndarray  # (V,) in [0, 1]
    corner_angle: np.ndarray  # (V,) round the outer corner of the nearer eye, radians
    corner_across: np.ndarray  # (V, 3) the direction in which that angle grows
    folds: np.ndarray  # (V, 3) how folds from nose to mouth tip normals
    irises: np.ndarray  # (2,) their middle vertices
    lowest: int  # the vertex at the bottom of the neck

    @classmethod
    def of(cls, model: FaceModel) -> Anatomy:
        """Compute it from the mean shape, the skin mask and the landmarks."""
        mean = model.mean_shape
        inside = (model.skin < 0.1) & (np.abs(mean[:, 0]) < 0.6)
        least = np.where(inside, MOUTH_OPENNESS, SKIN_OPENNESS)
        azimuth = np.arctan2(mean[:, 0], mean[:, 2] + 0.3)
        points = model.landmarks(mean[None])[0]
        brow = points[19, 1]
        crows_feet, corner_angle, corner_across = _crows_feet(mean, points, model.skin)
        return cls(
            openness=np.maximum(sky_visibility(model), least).astype(np.float32),
            beard=_beard(model),
            scalp=((1 - model.skin) * (mean[:, 1] > brow)).astype(np.float32),
            grain=np.stack([azimuth, mean[:, 1]], axis=1).astype(np.float32),
            skull=_skull(model),
            forehead=_forehead(mean, brow, model.skin),
            crows_feet=crows_feet,
            corner_angle=corner_angle,
            corner_across=corner_across,
            folds=_folds(mean, points, model.skin),
            irises=np.array(irises(model)),
            lowest=int(np.argmin(mean[:, 1])),
        )


def _beard(model: FaceModel) -> np.ndarray:
    """Below the nose, on the jaw, not on the lips."""
    mean = model.mean_shape
    points = model.landmarks(mean[None])[0]
    x, y, z = np.abs(mean[:, 0]), mean[:, 1], mean[:, 2]
    lips = points[48:60].mean(axis=0)
    half = np.array([points[54, 0] - points[48, 0], points[51, 1] - points[57, 1]]) / 2 + 0.03
    below_cheek = _rise(points[48, 1] + 0.25 * np.clip(x - 0.3, 0, 1) - y, 0.05)
    above_throat = _rise(y - points[8, 1] + 0.2, 0.05)
    moustache = (x < half[0]) * np.exp(-(((y - points[51, 1] - 0.07) / 0.07) ** 2))
    around_lips = np.linalg.norm((mean[:, :2] - lips[:2]) / half, axis=1) > 1
    front = _rise(z - points[0, 2], 0.1)
    grows = np.maximum(below_cheek * above_throat, moustache) * around_lips * front * (model.skin > 0.3)
    return grows.astype(np.float32)


def _forehead(mean: np.ndarray, brow: float, skin: np.ndarray) -> np.ndarray:
    x, above = mean[:, 0], mean[:, 1] - brow
    return (np.exp(-((x / 0.45) ** 4) - ((above - 0.28) / 0.2) ** 2) * (mean[:, 2] > 0) * skin).astype(np.float32)


def _crows_feet(mean: np.ndarray, points: np.ndarray, skin: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crow's feet at the outer corners of the eyes: their mask, and the angle across them with its direction."""
    side = np.sign(mean[:, 0])
    corner = np.where(side[:, None] < 0, points[36], points[45])
    out, up = (mean[:, 0] - corner[:, 0]) * side, mean[:, 1] - corner[:, 1]
    reach = np.hypot(out, up)
    angle = np.arctan2(up, out)
    mask = np.exp(-(((reach - 0.15) / 0.08) ** 2) - (angle / 0.8) ** 2) * (mean[:, 2] > -0.3) * skin
    across = np.stack([-np.sin(angle) * side, np.cos(angle), np.zeros(len(mean))], axis=1)
    return mask.astype(np.float32), angle.astype(np.float32), across.astype(np.float32)


def _folds(mean: np.ndarray, points: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Folds from the nose round the corners of the mouth: a valley tilts the normals of its sides together."""
    side = np.where(mean[:, :1] < 0, -1.0, 1.0)
    start = np.where(side < 0, points[31], points[35])[:, :2] + side * [0.07, 0.03]
    end = np.where(side < 0, points[48], points[54])[:, :2] + side * [0.12, 0.0]
    along = end - start
    share = np.clip(((mean[:, :2] - start) * along).sum(axis=1) / (along**2).sum(axis=1), 0, 1)[:, None]
    aside = mean[:, :2] - start - share * along
    width = 0.05
    tipped = -aside / width * np.exp(-((aside / width) ** 2).sum(axis=1, keepdims=True))
    front = (mean[:, 2] > points[[0, 16], 2].mean()) * skin
    return np.concatenate([tipped * front[:, None], np.zeros((len(mean), 1))], axis=1).astype(np.float32)


def _skull(model: FaceModel) -> np.ndarray:
    mean = model.mean_shape
    hairy = mean[(model.skin < 0.1) & (mean[:, 1] > np.quantile(mean[:, 1], 0.75))]
    low, high = hairy.min(axis=0), hairy.max(axis=0)
    half = np.array([high[0], 0.85, (high[2] - low[2]) / 2 * 1.05])
    return np.stack([[0, high[1] - half[1], (low[2] + high[2]) / 2], half]).astype(np.float32)


def _rise(value: np.ndarray, width: float) -> np.ndarray:
    return 1 / (1 + np.exp(-value / width))
