"""Glasses, many at a time: rims, arch and temples as polylines in head space, and two lenses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.arrays import Array

RIM = 40  # points round a lens, the last where the first is

# How glasses are drawn. Pairs are ranges of uniform draws unless they say otherwise.
WORN = 0.3  # share of people
DARK, RIMLESS = 0.15, 0.2  # shares of glasses
HALF_WIDTH, HALF_HEIGHT = (0.21, 0.30), (0.13, 0.26)  # decimetres, of a lens
SQUARENESS = (2, 5)  # exponent of the superellipse that a rim is: 2 is an ellipse, more is squarer
FARTHER_OUT, HIGHER = (0, 0.03), (-0.06, 0.03)  # decimetres from the middles of the eyes
RIM_WIDTH = (0.012, 0.05)  # decimetres, of rims, arch and temples
MUTED = 0.7  # share of frames
MUTED_CHANNEL, BRIGHT_CHANNEL = (0, 0.25), (0.2, 0.85)  # sRGB, each of red, green and blue of a frame
DARK_LENS, CLEAR_LENS = (0, 0.2), (0.4, 1.0)  # sRGB, each of red, green and blue
DARK_OPACITY = (0.5, 0.95)  # of a dark lens
CLEAR_BETA, MOST_CLEAR = (1, 5), 0.5  # a clear lens's opacity: parameters of a beta draw, and its factor
REFLECTION_SPREAD = 0.3  # standard deviation, of the change over the picture's width and height


@dataclass(frozen=True)
class Glasses:
    """Glasses of B people. All numpy, or all torch."""

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
    half = np.stack([rng.uniform(*HALF_WIDTH, count), rng.uniform(*HALF_HEIGHT, count)], axis=1)
    angle = np.linspace(0, 2 * np.pi, RIM)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    power = (2 / rng.uniform(*SQUARENESS, count))[:, None, None]
    outline = np.sign(circle) * np.abs(circle) ** power * half[:, None]
    outline = np.concatenate([outline, -0.25 * np.abs(outline[..., :1])], axis=2)  # lenses bend back to the temples
    middle = np.stack(
        [
            eyes[..., 0] + rng.uniform(*FARTHER_OUT, (count, 2)) * [-1, 1],
            eyes[..., 1] + rng.uniform(*HIGHER, (count, 1)),
            np.repeat(bridge[:, 2:] + 0.06, 2, axis=1),
        ],
        axis=2,
    )
    rims = middle[:, :, None] + outline[:, None]
    right, left = 0, RIM // 2  # of the points of a rim
    ears = landmarks[:, [0, 16]] + [[-0.02, 0.2, -0.35], [0.02, 0.2, -0.35]]
    outer = np.stack([rims[:, 0, left], rims[:, 1, right]], axis=1) + [0, 0.05, 0]
    bow = np.sin(np.linspace(0, np.pi, 9))[:, None] * [0, 0.05, 0.05]
    dark = rng.random(count) < DARK
    muted = rng.random((count, 1)) < MUTED
    frame = np.where(muted, rng.uniform(*MUTED_CHANNEL, (count, 3)), rng.uniform(*BRIGHT_CHANNEL, (count, 3)))
    return Glasses(
        worn=rng.random(count) < WORN,
        rims=rims,
        arch=np.linspace(rims[:, 0, right], rims[:, 1, left], 9, axis=1) + bow,
        temples=np.linspace(outer, ears, 12, axis=2),
        rimless=rng.random(count) < RIMLESS,
        colour=frame,
        width=rng.uniform(*RIM_WIDTH, count),
        lens_colour=np.where(dark[:, None], rng.uniform(*DARK_LENS, (count, 3)), rng.uniform(*CLEAR_LENS, (count, 3))),
        lens_opacity=np.where(dark, rng.uniform(*DARK_OPACITY, count), rng.beta(*CLEAR_BETA, count) * MOST_CLEAR),
        reflection=rng.normal(0, REFLECTION_SPREAD, (count, 2, 2)),
    )
