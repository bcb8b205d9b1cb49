"""Flat things in pictures, many at a time: what stands about behind a head, clothes, and what is before a face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.camera import CROP_SIZE
from deep3d.coefficients import Array

CORNERS = 12  # of every outline; those of fewer repeat their last
MOST_BEHIND, MOST_BEFORE = 5, 2  # things in one picture, besides clothes


@dataclass(frozen=True)
class Things:
    """K flat things in each of B pictures, later ones over earlier ones. All numpy, or all torch."""

    outlines: Array  # (B, K, CORNERS, 2) crop pixels; all corners of a thing that is not there are the same
    colours: Array  # (B, K, 3) sRGB
    gradients: Array  # (B, K, 2) change of the colour over the picture's width and height


def random_things_behind(rng: np.random.Generator, neck: np.ndarray) -> Things:
    """Things behind heads, then shoulders and a collar or tie, of necks whose lower ends are at (B, 2) crop pixels."""
    count = len(neck)
    places = rng.uniform(-40, 264, (count, MOST_BEHIND, 2))
    there = np.arange(MOST_BEHIND) < rng.poisson(2.0, (count, 1))
    patches = _patches(rng, places, rng.uniform(10, 120, there.shape), there)
    return _things(
        rng, np.concatenate([patches, _clothes(rng, neck)], axis=1), any_colours(rng, (count, MOST_BEHIND + 2))
    )


def random_things_before(rng: np.random.Generator, count: int) -> Things:
    """A hand, a microphone, a phone, another person: one or two things somewhere on one face in five."""
    size = (count, MOST_BEFORE)
    there = (rng.random((count, 1)) < 0.2) & (np.arange(MOST_BEFORE) < rng.integers(1, 3, (count, 1)))
    patches = _patches(rng, rng.uniform(20, 204, (*size, 2)), rng.uniform(12, 55, size), there)
    skin = rng.uniform([0.3, 0.2, 0.15], [0.95, 0.75, 0.65], (count, 1, 3))
    colours = np.where(rng.random((count, 1, 1)) < 0.5, skin, any_colours(rng, (count, 1)))
    return _things(rng, patches, np.repeat(colours, MOST_BEFORE, axis=1))


def any_colours(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    """(*size, 3) sRGB: mostly muted, sometimes bright."""
    vivid = rng.choice([0.03, 0.12, 0.35], (*size, 1))
    return np.clip(rng.uniform(0, 1, (*size, 1)) + rng.normal(size=(*size, 3)) * vivid, 0, 1)


def _things(rng: np.random.Generator, outlines: np.ndarray, colours: np.ndarray) -> Things:
    return Things(outlines, colours, rng.normal(0, 0.2, (*colours.shape[:2], 2)))


def _patches(rng: np.random.Generator, middle: np.ndarray, radius: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Random blobs and polygons (B, K, CORNERS, 2) round places (B, K, 2), of no size where they are not `there`."""
    size = middle.shape[:2]
    corners = rng.integers(3, CORNERS, (*size, 1))
    corner = np.minimum(np.arange(CORNERS), corners - 1)
    loose = np.sort(np.where(np.arange(CORNERS) < corners, rng.uniform(0, 2 * np.pi, (*size, CORNERS)), 7))
    angle = np.where(corners < 7, np.take_along_axis(loose, corner, axis=2), 6.2 * corner / (corners - 1))
    reach = np.take_along_axis(rng.uniform(0.5, 1.2, (*size, CORNERS)), corner, axis=2) * (radius * there)[..., None]
    outline = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * reach[..., None]
    return middle[:, :, None] + outline * rng.uniform(0.4, 1.6, (*size, 1, 2))


def _clothes(rng: np.random.Generator, neck: np.ndarray) -> np.ndarray:
    """Shoulders and, on every other person, an open collar or a tie: (B, 2, CORNERS, 2)."""
    count = len(neck)
    x, top = neck[:, 0], neck[:, 1] - rng.uniform(-5, 30, count)
    wide, slope = rng.uniform(80, 200, count), rng.uniform(5, 45, count)
    half = rng.uniform(8, 40, count) * (rng.random(count) < 0.5)
    low = np.full(count, CROP_SIZE + 176.0)
    xs = [x - wide, x - 0.8 * wide, x - 28, x + 28, x + 0.8 * wide, x + wide]
    ys = [low, top + slope, top, top, top + slope, low]
    shoulders = np.stack([np.stack(xs, axis=1), np.stack(ys, axis=1)], axis=2)
    drop = rng.uniform(20, 120, count) * (half > 0)
    collar = np.stack([np.stack([x - half, x + half, x], axis=1), np.stack([top, top, top + drop], axis=1)], axis=2)
    return np.stack([shoulders[:, np.minimum(np.arange(CORNERS), 5)], collar[:, np.minimum(np.arange(CORNERS), 2)]], 1)
