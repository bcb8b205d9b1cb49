"""Glasses, many at a time: two rims and what holds them as polylines in head space, and two lenses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.arrays import Array

RIM = 40  # points round a lens, the last where the first is


@dataclass(frozen=True)
class Glasses:
    """What B people wear before their eyes. All numpy, or all torch."""

    worn: Array  # (B,) whether there are any
    rims: Array  # (B, 2, RIM, 3) decimetres
    arch: Array  # (B, 9, 3) decimetres, over the nose
    temples: Array  # (B, 2, 12, 3) decimetres
    rimless: Array  # (B,)
    colour: Array  # (B, 3)
    width: Array  # (B,) of rims, arch and temples, decimetres
    lens_colour: Array  # (B, 3)
    lens_opacity: Array  # (B,)
    reflection: Array  # (B, 2, 2) change of a lens's colour over the picture's width and height


def random_glasses(rng: np.random.Generator, landmarks: np.ndarray) -> Glasses:
    """Glasses on heads with (B, 68, 3) landmarks in decimetres; three in ten wear any, one in seven of these dark."""
    count = len(landmarks)
    eyes = np.stack([landmarks[:, 36:42].mean(axis=1), landmarks[:, 42:48].mean(axis=1)], axis=1)
    bridge = landmarks[:, 27]
    half = np.stack([rng.uniform(0.21, 0.30, count), rng.uniform(0.13, 0.26, count)], axis=1)
    angle = np.linspace(0, 2 * np.pi, RIM)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    power = (2 / rng.uniform(2, 5, count))[:, None, None]
    outline = np.sign(circle) * np.abs(circle) ** power * half[:, None]
    outline = np.concatenate([outline, -0.25 * np.abs(outline[..., :1])], axis=2)  # lenses bend back to the temples
    middle = np.stack(
        [
            eyes[..., 0] + rng.uniform(0, 0.03, (count, 2)) * [-1, 1],
            eyes[..., 1] + rng.uniform(-0.06, 0.03, (count, 1)),
            np.repeat(bridge[:, 2:] + 0.06, 2, axis=1),
        ],
        axis=2,
    )
    rims = middle[:, :, None] + outline[:, None]
    right, left = 0, RIM // 2  # of the points of a rim
    ears = landmarks[:, [0, 16]] + [[-0.02, 0.2, -0.35], [0.02, 0.2, -0.35]]
    outer = np.stack([rims[:, 0, left], rims[:, 1, right]], axis=1) + [0, 0.05, 0]
    bow = np.sin(np.linspace(0, np.pi, 9))[:, None] * [0, 0.05, 0.05]
    dark = rng.random(count) < 0.15
    plain = np.where(rng.random((count, 1)) < 0.7, rng.uniform(0, 0.25, (count, 3)), rng.uniform(0.2, 0.85, (count, 3)))
    return Glasses(
        worn=rng.random(count) < 0.3,
        rims=rims,
        arch=np.linspace(rims[:, 0, right], rims[:, 1, left], 9, axis=1) + bow,
        temples=np.linspace(outer, ears, 12, axis=2),
        rimless=rng.random(count) < 0.2,
        colour=plain,
        width=rng.uniform(0.012, 0.05, count),
        lens_colour=np.where(dark[:, None], rng.uniform(0, 0.2, (count, 3)), rng.uniform(0.4, 1.0, (count, 3))),
        lens_opacity=np.where(dark, rng.uniform(0.5, 0.95, count), rng.beta(1, 5, count) * 0.5),
        reflection=rng.normal(0, 0.3, (count, 2, 2)),
    )
