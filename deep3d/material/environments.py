"""Lights to put a face in: a few of our own making, and panoramas from files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.ndimage import map_coordinates

from deep3d.errors import EnvironmentInvalid
from deep3d.material.hdr import read_hdr

PANORAMA = (32, 64)  # rows and columns
_Sky = Callable[[np.ndarray], np.ndarray]


def _lobe(toward: tuple[float, float, float], sharpness: float) -> _Sky:
    """A soft lamp of brightness 1 in its middle."""
    unit = np.array(toward) / np.linalg.norm(toward)
    return lambda directions: np.exp(sharpness * (directions @ unit - 1))[..., None]


def _up(directions: np.ndarray) -> np.ndarray:
    return np.clip(directions[..., 1:2] * 0.5 + 0.5, 0, 1)


PRESETS: dict[str, _Sky] = {
    "overcast": lambda d: 0.35 + 0.9 * _up(d) ** 2 * np.array([0.95, 1.0, 1.06]),
    "studio": lambda d: (
        0.12 + 7 * _lobe((-0.8, 0.7, 1), 12)(d) + 2.5 * _lobe((1, 0.2, 0.8), 10)(d) + 5 * _lobe((0.7, 0.8, -1), 14)(d)
    ),
    "window": lambda d: 0.10 + 9 * _lobe((1, 0.25, 0.35), 9)(d) * np.array([0.92, 1.0, 1.12]),
    "sunset": lambda d: (
        0.35 * _up(d) * np.array([0.55, 0.65, 1.0]) + 26 * _lobe((-1, 0.15, 0.5), 40)(d) * np.array([1.0, 0.55, 0.25])
    ),
    "night": lambda d: (
        0.04 * np.array([0.5, 0.6, 1.0])
        + 12 * _lobe((0.6, 0.9, 0.3), 25)(d) * np.array([1.0, 0.75, 0.4])
        + 6 * _lobe((-1, -0.1, 0.4), 18)(d) * np.array([0.2, 0.45, 1.0])
    ),
}
"""Radiance (..., 3) from unit directions (..., 3): the camera looks down -z, y is up, x to the right of the picture."""


def environment(name: str | Path) -> np.ndarray:
    """A panorama (H, W, 3) of linear radiance: a preset by its name, or a .hdr file.

    As three.js has it: row 0 is up, the column grows with the angle from -x over -z to x; what the camera has behind
    it is at three quarters of the width.

    Raises: EnvironmentInvalid.
    """
    if str(name) in PRESETS:
        return np.broadcast_to(PRESETS[str(name)](sphere(*PANORAMA)), (*PANORAMA, 3)).astype(np.float32)
    if not str(name).lower().endswith(".hdr"):
        raise EnvironmentInvalid(f"{name}: no such light; choose {', '.join(PRESETS)} or give a .hdr file")
    return read_hdr(Path(name))


def sphere(height: int, width: int) -> np.ndarray:
    """Unit directions (height, width, 3) of a panorama's pixels."""
    polar = np.pi * (0.5 - (np.arange(height) + 0.5) / height)[:, None]
    around = 2 * np.pi * ((np.arange(width) + 0.5) / width - 0.5)[None]
    flat = np.cos(polar)
    return np.stack([flat * np.cos(around), np.sin(polar) * np.ones_like(around), flat * np.sin(around)], axis=-1)


def gathered(panorama: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(D, 3): the mean radiance of a panorama round each of even unit directions (D, 3); no light is lost."""
    small = _coarse(panorama)
    places = sphere(*small.shape[:2]).reshape(-1, 3)
    share = np.cos(np.arcsin(np.clip(places[:, 1], -1, 1)))
    nearest = np.argmax(places @ directions.T, axis=1)
    total = np.zeros((len(directions), 3))
    weight = np.bincount(nearest, share, len(directions))
    for channel in range(3):
        total[:, channel] = np.bincount(nearest, share * small.reshape(-1, 3)[:, channel], len(directions))
    solid = share.sum() / len(directions)
    return (total / np.where(weight > 0, np.maximum(weight, solid * 0.25), 1)[:, None]).astype(np.float32)


def looked_up(panorama: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(N, 3): the radiance of a panorama (H, W, 3) from unit directions (N, 3), bilinear, at a few degrees."""
    small = _coarse(panorama)
    height, width = small.shape[:2]
    x, y, z = directions.T
    rows = (0.5 - np.arcsin(np.clip(y, -1, 1)) / np.pi) * height - 0.5
    columns = (0.5 + np.arctan2(z, x) / (2 * np.pi)) * width + 0.5
    round_about = np.concatenate([small[:, -1:], small, small[:, :1]], axis=1)
    places = [rows, columns]
    return np.stack([map_coordinates(round_about[..., k], places, order=1, mode="nearest") for k in range(3)], axis=1)


def _coarse(panorama: np.ndarray) -> np.ndarray:
    """Means of the pixels of a panorama (H, W, 3): 64 to 127 rows of them, if it has so many."""
    height, width = panorama.shape[:2]
    step = max(1, height // 64)
    small = panorama[: height // step * step, : width // step * step]
    return small.reshape(height // step, step, width // step, step, 3).mean(axis=(1, 3))
