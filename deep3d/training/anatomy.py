"""What the head generator must know of a face model: where hair and beards grow, and where light does not reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.camera import clip_space
from deep3d.face_model import FaceModel
from deep3d.rendering.kernels import rasterize_into

SKY_DIRECTIONS = 48  # from which the light of the sky is sampled
SKY_MAP = (160, 160)  # pixels of the shadow map of each
SKY_BIAS = 0.06  # decimetres behind the nearest surface that still count as lit
MOUTH_OPENNESS, SKIN_OPENNESS = 0.6, 0.1  # least values: the mean head's mouth is shut, a laughing one's is not


@dataclass(frozen=True)
class Anatomy:
    """Fields over the V vertices of a face model's mean head."""

    openness: np.ndarray  # (V,) share of the light around that reaches the vertex
    beard: np.ndarray  # (V,) in [0, 1]
    scalp: np.ndarray  # (V,) in [0, 1]
    grain: np.ndarray  # (V, 2) coordinates of fine texture: azimuth in radians, height in decimetres
    skull: np.ndarray  # (2, 3) centre and half axes of the hairy part of the head, decimetres
    lowest: int  # the vertex at the bottom of the neck

    @classmethod
    def of(cls, model: FaceModel) -> Anatomy:
        """Work it out from the mean shape, the skin mask and the landmarks."""
        mean = model.mean_shape
        inside = (model.skin < 0.1) & (np.abs(mean[:, 0]) < 0.6)
        least = np.where(inside, MOUTH_OPENNESS, SKIN_OPENNESS)
        azimuth = np.arctan2(mean[:, 0], mean[:, 2] + 0.3)
        brow = model.landmarks(mean[None])[0, 19, 1]
        return cls(
            openness=np.maximum(sky_visibility(model), least).astype(np.float32),
            beard=_beard(model),
            scalp=((1 - model.skin) * (mean[:, 1] > brow)).astype(np.float32),
            grain=np.stack([azimuth, mean[:, 1]], axis=1).astype(np.float32),
            skull=_skull(model),
            lowest=int(np.argmin(mean[:, 1])),
        )


def sky_visibility(model: FaceModel) -> np.ndarray:
    """How much of the light around reaches each vertex (V,) of the mean head, in (0, 1]: 1 on open skin."""
    vertices, triangles = model.mean_shape, model.triangles
    rng = np.random.default_rng(0)
    seen = np.full(len(vertices), 1e-3)
    total = np.full(len(vertices), 1e-3)
    normals = model.normals(vertices[None])[0]
    triangle, zbuffer = np.empty(SKY_MAP, np.int32), np.empty(SKY_MAP, np.float32)
    weights = np.empty((*SKY_MAP, 2), np.float32)
    reach = np.abs(vertices).max() * 1.8
    for _ in range(SKY_DIRECTIONS):
        axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        turned = vertices @ axes.T
        pixels = (turned[:, :2] / reach + 0.5) * SKY_MAP[0]
        clip = clip_space(pixels[None], np.ones((1, len(vertices))), SKY_MAP)[0]
        clip[:, 2] = -turned[:, 2] / (2 * reach)  # a lamp far away: depth is linear
        rasterize_into(clip.astype(np.float32), triangles, triangle, weights, zbuffer)
        column, row = (np.clip(np.rint(pixels[:, k]), 0, SKY_MAP[0] - 1).astype(int) for k in range(2))
        facing = np.clip(normals @ axes[2], 0, 1)
        total += facing
        seen += facing * (clip[:, 2] <= zbuffer[row, column] + SKY_BIAS / (2 * reach))
    return (seen / total).astype(np.float32)


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


def _skull(model: FaceModel) -> np.ndarray:
    mean = model.mean_shape
    hairy = mean[(model.skin < 0.1) & (mean[:, 1] > np.quantile(mean[:, 1], 0.75))]
    low, high = hairy.min(axis=0), hairy.max(axis=0)
    half = np.array([high[0], 0.85, (high[2] - low[2]) / 2 * 1.05])
    return np.stack([[0, high[1] - half[1], (low[2] + high[2]) / 2], half]).astype(np.float32)


def _rise(value: np.ndarray, width: float) -> np.ndarray:
    return 1 / (1 + np.exp(-value / width))
