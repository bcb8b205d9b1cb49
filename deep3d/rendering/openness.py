"""Ambient occlusion: the share of the surrounding light that nose, brows, lips and ears leave to each vertex."""

from __future__ import annotations

import numpy as np

from deep3d.camera import clip_space
from deep3d.face_model import FaceModel
from deep3d.rendering.kernels import rasterize_into

_DIRECTIONS = 48  # directions that sample the light of the sky
_MAP = (160, 160)  # pixels of the shadow map of each
_BIAS = 0.06  # decimetres behind the nearest surface that still count as lit


def sky_visibility(model: FaceModel) -> np.ndarray:
    """The share of the surrounding light at each vertex (V,) of the mean head, in (0, 1]: 1 on open skin."""
    vertices, triangles = model.mean_shape, model.triangles
    rng = np.random.default_rng(0)
    seen = np.full(len(vertices), 1e-3)
    total = np.full(len(vertices), 1e-3)
    normals = model.normals(vertices[None])[0]
    triangle, zbuffer = np.empty(_MAP, np.int32), np.empty(_MAP, np.float32)
    weights = np.empty((*_MAP, 2), np.float32)
    reach = np.abs(vertices).max() * 1.8
    for _ in range(_DIRECTIONS):
        axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        turned = vertices @ axes.T
        pixels = (turned[:, :2] / reach + 0.5) * _MAP[0]
        clip = clip_space(pixels[None], np.ones((1, len(vertices))), _MAP)[0]
        clip[:, 2] = -turned[:, 2] / (2 * reach)  # a lamp far away: depth is linear
        rasterize_into(clip.astype(np.float32), triangles, triangle, weights, zbuffer)
        column, row = (np.clip(np.rint(pixels[:, k]), 0, _MAP[0] - 1).astype(int) for k in range(2))
        facing = np.clip(normals @ axes[2], 0, 1)
        total += facing
        seen += facing * (clip[:, 2] <= zbuffer[row, column] + _BIAS / (2 * reach))
    return (seen / total).astype(np.float32)
