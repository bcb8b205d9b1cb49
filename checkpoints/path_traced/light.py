"""Random light round a head, and what a camera makes of the radiance."""

from __future__ import annotations

import numpy as np

from deep3d.mesh import normalize


def random_sky(rng: np.random.Generator, directions: np.ndarray) -> np.ndarray:
    """Surroundings (H, W, 3), linear, in directions (H, W, 3): a room or an open sky, windows, lamps, a sun."""
    y, z = directions[..., 1], directions[..., 2]
    ground, side, top = rng.gamma(2, 0.15), rng.gamma(2, 0.3), rng.gamma(2, 0.5)
    level = np.where(y > 0, side + (top - side) * y, side + (ground - side) * np.minimum(-3 * y, 1))
    sky = level[..., None] * _tint(rng, 0.12)
    sky = sky * np.where((y < 0)[..., None], _tint(rng, 0.2), 1)
    for _ in range(rng.integers(0, 5)):  # what stands around: soft, bright or dark
        toward = normalize(rng.normal(size=3))
        share = np.exp(rng.uniform(2, 12) * (directions @ toward - 1))[..., None]
        sky = sky + share * (rng.gamma(1, 0.8) * _tint(rng, 0.2) - sky)
    power = sky.mean()
    hard = rng.beta(1.6, 1.2)  # share of the light that comes from windows and lamps
    total = np.zeros_like(sky)
    for _ in range(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15])):
        toward = normalize(np.array([rng.normal(0, 1.0), rng.normal(0.5, 0.5), rng.normal(0.9, 0.6)]))
        total += _window(rng, directions, toward) if rng.random() < 0.45 else _lamp(rng, directions, toward)
    weight = np.sqrt(np.clip(1 - z**2, 1e-3, 1))[..., None]  # pixels near the poles are small
    ratio = (sky * weight).sum() / (total * weight).sum()
    return (sky * (1 - hard) + 1.4 * total * ratio * hard) / power


def _window(rng: np.random.Generator, directions: np.ndarray, toward: np.ndarray) -> np.ndarray:
    """A window, in some with bars, or a softbox: upright, bright, in one direction."""
    right = normalize(np.cross([0.0, 1.0, 0.0], toward))
    up = np.cross(toward, right)
    ahead = np.maximum(directions @ toward, 1e-3)
    u, v = directions @ right / ahead, directions @ up / ahead
    wide, tall = rng.uniform(0.15, 0.9), rng.uniform(0.2, 0.9)
    inside = (np.abs(u) < wide) & (np.abs(v) < tall) & (ahead > 1e-2)
    if rng.random() < 0.4:
        inside &= (np.abs(u) > 0.05 * wide) & (np.abs(np.abs(v) - 0.4 * tall) > 0.04)
    light = inside * (1 + rng.uniform(-0.5, 0.5) * v / tall)
    return light[..., None] * _tint(rng, 0.15)


def _lamp(rng: np.random.Generator, directions: np.ndarray, toward: np.ndarray) -> np.ndarray:
    """A round lamp or the sun; in some photos a flash beside the camera."""
    if rng.random() < 0.15:
        toward = normalize(np.array([rng.normal(0, 0.08), abs(rng.normal(0.05, 0.08)), 1.0]))
    radius = np.radians(np.exp(rng.uniform(np.log(2.2), np.log(25))))
    angle = np.arccos(np.clip(directions @ toward, -1, 1))
    return np.clip((radius - angle) / np.radians(1.5) + 0.5, 0, 1)[..., None] * _tint(rng, 0.15)


def exposed(
    rng: np.random.Generator, radiance: np.ndarray, covered: np.ndarray, skin: np.ndarray, backdrop: np.ndarray
) -> np.ndarray:
    """A picture (SIZE, SIZE, 3) about [0, 1] as a camera codes a radiance, before a backdrop."""
    grey = max(float(np.median(radiance[skin & (covered > 0.9)].mean(axis=1))), 1e-4)
    bright = max(float(np.quantile(radiance[covered > 0.9].mean(axis=1), 0.98)), 1e-4)
    wanted = 0.24 * rng.uniform(0.7, 1.35)
    factor = min(wanted / grey, rng.uniform(0.9, 1.8) / bright)
    share = np.clip(covered, 0, 1)[..., None]
    linear = radiance / np.maximum(share, 0.02) * factor * _tint(rng, 0.04)
    shoulder = rng.uniform(0.0, 0.4)  # how gently highlights clip
    linear = linear * (1 + shoulder * 0.3) / (1 + shoulder * linear)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-6) ** (1 / 2.4) - 0.055)
    return np.ascontiguousarray(backdrop + share * (coded - backdrop), np.float32)


def _tint(rng: np.random.Generator, spread: float) -> np.ndarray:
    """A random warm or cold hue (3,)."""
    return np.exp(rng.normal(0, spread) * np.array([1.0, 0.0, -1.4]) + rng.normal(0, spread / 4, 3))
