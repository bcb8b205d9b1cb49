"""How fast a surface's brightness grows along its normals: light of the first degree (Ramamoorthi and Hanrahan, 2001).

Logarithms of brightness are taken as linear in the normal. That is less than a fit of light and reflectance knows, but
asks for nothing beyond the photo, and goes on smoothly to where nobody has seen how a head is lit.
"""

from __future__ import annotations

import numpy as np

LEAST = 30.0  # points that must be seen


def light_slope(brightness: np.ndarray, normals: np.ndarray, weight: np.ndarray, doubt: float) -> np.ndarray:
    """(3,) how fast logarithms of brightness (N,) grow along unit normals (N, 3), by least squares.

    Points count by `weight` (N,). `doubt` draws the slope to 0 (ridge regression); it counts beside the variances of
    the normals, which are 1 at most. 0 where too few points are seen.
    """
    total = float(weight.sum())
    if total < LEAST:
        return np.zeros(3)
    shares = weight / total
    steps = normals - shares @ normals
    weighted = steps * shares[:, None]
    return np.linalg.solve(weighted.T @ steps + doubt * np.eye(3), weighted.T @ (brightness - shares @ brightness))


def fallen_light(slope: np.ndarray, normals: np.ndarray, weight: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """(N,) float32 logarithms of the light on normals (N, 3), 0 on average over `weight` (N,), within limits."""
    light = normals @ slope.astype(normals.dtype)
    light = light - weight @ light / max(float(weight.sum()), 1e-3)
    return np.clip(light, *limits).astype(np.float32)
