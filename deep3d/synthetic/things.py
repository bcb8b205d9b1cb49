"""Flat things in pictures, many at a time: objects behind a head, clothes, and occluders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.arrays import Array
from deep3d.camera import CROP_SIZE

CORNERS = 12  # of every outline; those of fewer repeat their last
MOST_BEHIND, MOST_OCCLUDERS = 5, 6  # things in one picture, besides clothes
FINGERS = ((-0.36, 0.72), (-0.12, 0.9), (0.12, 0.85), (0.36, 0.6))
"""Roots across a hand and lengths of the fingers, in widths of the palm."""
PALM = 0.85  # decimetres
DARKEST_SKIN, LIGHTEST_SKIN = np.array([0.25, 0.16, 0.12]), np.array([0.95, 0.78, 0.68])  # sRGB

# In the blocks below pairs are ranges of uniform draws, and spreads are standard deviations of normal ones.
# Things behind heads, crop pixels.
BEHIND_PLACE, BEHIND_RADIUS = (-40, 264), (10, 120)
BEHIND_MEAN = 2.0  # things in a picture, Poisson, at most MOST_BEHIND

# Clothes, crop pixels.
SHOULDERS_ABOVE_NECK = (-5, 30)  # above the neck's lower end
SHOULDERS_HALF, SHOULDERS_DROP = (80, 200), (5, 45)  # half their width, and how far they fall to the sides
COLLAR_WORN = 0.5  # share of people
COLLAR_HALF, COLLAR_DROP = (8, 40), (20, 120)  # half its width, and how far it reaches down

# Occluders, crop pixels.
OCCLUDED = (0.8, 0.1, 0.06, 0.04)  # shares of nothing, things of any shape, a hand, a microphone
OCCLUDER_COUNT = (1, 3)  # things of any shape, the last excluded
OCCLUDER_PLACE, OCCLUDER_RADIUS = (20, 204), (12, 55)
SKIN_COLOURED = 0.5  # share of things of any shape
SKIN_SPREAD = 0.03  # of each channel, sRGB
MICROPHONE_GREY = (0.02, 0.35)  # sRGB
PART_SPREAD = 0.05  # of a factor around 1, of the colour of each part

# Colours of all these things, sRGB.
VIVID = (0.03, 0.12, 0.35)  # spreads of the channels around a grey, each as frequent
GRADIENT_SPREAD = 0.2  # over the picture's width and height

# Blobs and polygons, in radii.
PATCH_CORNERS = (3, CORNERS)  # the last excluded
PATCH_ROUND = 7  # from so many corners on they are evenly spread
PATCH_REACH, PATCH_STRETCH = (0.5, 1.2), (0.4, 1.6)  # of each corner, and factors across and down

# Hands.
HAND_SPREAD = (-0.1, 0.5)  # how much farther apart fingertips are than the fingers' roots, as a share
HAND_BENT = (0.5, 1.05)  # factor of a finger's length
HAND_SIZE = (0.85, 1.2)  # factor of PALM
HAND_ACROSS, HAND_DOWN = (20, 204), (60, 224)  # crop pixels of the palm

# Microphones.
BALL_MIDDLE, BALL_SPREAD = (112, 165), (30, 25)  # crop pixels across and down
HANDLE_LEAN_SPREAD = 60  # crop pixels
HANDLE_HALF = (0.1, 0.16)  # decimetres, half its width
BALL_SIZE = (1.4, 2.2)  # of the handle's width


@dataclass(frozen=True)
class Things:
    """K flat things in each of B pictures, later ones over earlier ones. All numpy, or all torch."""

    outlines: Array  # (B, K, CORNERS, 2) crop pixels; all corners of a thing that is not there are the same
    colours: Array  # (B, K, 3) sRGB
    gradients: Array  # (B, K, 2) change of the colour over the picture's width and height


def random_things_behind(rng: np.random.Generator, neck: np.ndarray) -> Things:
    """Things behind heads, then shoulders and a collar or tie, of necks whose lower ends are at (B, 2) crop pixels."""
    count = len(neck)
    places = rng.uniform(*BEHIND_PLACE, (count, MOST_BEHIND, 2))
    there = np.arange(MOST_BEHIND) < rng.poisson(BEHIND_MEAN, (count, 1))
    patches = _patches(rng, places, rng.uniform(*BEHIND_RADIUS, there.shape), there)
    outlines = np.concatenate([patches, _clothes(rng, neck)], axis=1)
    size = outlines.shape[:2]
    return Things(outlines, any_colours(rng, size), rng.normal(0, GRADIENT_SPREAD, (*size, 2)))


def random_occluders(rng: np.random.Generator, scale: np.ndarray) -> Things:
    """Occluders in front of one face in five: a hand, a microphone, or one or two things of any shape.

    `scale` (B,) are pixels for a decimetre at the head.
    """
    count = len(scale)
    kind = rng.choice(len(OCCLUDED), (count, 1, 1), p=OCCLUDED)
    there = np.arange(MOST_OCCLUDERS) < rng.integers(*OCCLUDER_COUNT, (count, 1)) * (kind[..., 0] == 1)
    places = rng.uniform(*OCCLUDER_PLACE, (count, MOST_OCCLUDERS, 2))
    patches = _patches(rng, places, rng.uniform(*OCCLUDER_RADIUS, there.shape), there)
    outlines = np.select(
        [kind[..., None] == 2, kind[..., None] == 3], [_hands(rng, scale), _microphones(rng, scale)], patches
    )
    skin = DARKEST_SKIN + rng.random((count, 1, 1)) * (LIGHTEST_SKIN - DARKEST_SKIN)
    skin = skin + rng.normal(0, SKIN_SPREAD, (count, 1, 3))
    dark = rng.uniform(*MICROPHONE_GREY, (count, 1, 1)) * np.ones(3)
    other = np.where(rng.random((count, 1, 1)) < SKIN_COLOURED, skin, any_colours(rng, (count, 1)))
    colours = np.select([kind == 2, kind == 3], [skin, dark], other)
    gradients = np.repeat(rng.normal(0, GRADIENT_SPREAD, (count, 1, 2)), MOST_OCCLUDERS, axis=1)
    return Things(outlines, colours * rng.normal(1, PART_SPREAD, (count, MOST_OCCLUDERS, 1)), gradients)


def any_colours(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    """(*size, 3) sRGB: mostly muted, sometimes bright."""
    vivid = rng.choice(VIVID, (*size, 1))
    return np.clip(rng.uniform(0, 1, (*size, 1)) + rng.normal(size=(*size, 3)) * vivid, 0, 1)


def _patches(rng: np.random.Generator, middle: np.ndarray, radius: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Random blobs and polygons (B, K, CORNERS, 2) round places (B, K, 2), of no size where they are not `there`."""
    size = middle.shape[:2]
    corners = rng.integers(*PATCH_CORNERS, (*size, 1))
    corner = np.minimum(np.arange(CORNERS), corners - 1)
    loose = np.sort(np.where(np.arange(CORNERS) < corners, rng.uniform(0, 2 * np.pi, (*size, CORNERS)), 7))
    angle = np.where(corners < PATCH_ROUND, np.take_along_axis(loose, corner, axis=2), 6.2 * corner / (corners - 1))
    reach = np.take_along_axis(rng.uniform(*PATCH_REACH, (*size, CORNERS)), corner, axis=2)
    reach = reach * (radius * there)[..., None]
    outline = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * reach[..., None]
    return middle[:, :, None] + outline * rng.uniform(*PATCH_STRETCH, (*size, 1, 2))


def _hands(rng: np.random.Generator, scale: np.ndarray) -> np.ndarray:
    """A palm, a thumb and four fingers, at any angle: (B, MOST_OCCLUDERS, CORNERS, 2)."""
    count = len(scale)
    spread, bent = rng.uniform(*HAND_SPREAD, count), rng.uniform(*HAND_BENT, (count, len(FINGERS)))
    middle = np.zeros(count)
    parts = [_capsules(middle, middle - 0.15, middle, middle + 0.2, 0.45 + middle)]
    parts.append(
        _capsules(middle - 0.35, middle - 0.1, middle - 0.75 - 0.2 * spread, middle + 0.4 * bent[:, 0], 0.13 + middle)
    )
    for k, (across, length) in enumerate(FINGERS):
        tip = 0.45 + length * bent[:, k]
        parts.append(_capsules(middle + across, middle + 0.4, across * (1 + spread), tip, 0.115 + middle))
    hand = np.stack(parts, axis=1) * (PALM * scale * rng.uniform(*HAND_SIZE, count))[:, None, None, None]
    hand[..., 0] *= rng.choice([-1, 1], count)[:, None, None]
    angle = rng.uniform(-np.pi, np.pi, count)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1).reshape(-1, 1, 2, 2)
    place = np.stack([rng.uniform(*HAND_ACROSS, count), rng.uniform(*HAND_DOWN, count)], axis=1)
    return hand @ turn + place[:, None, None]


def _microphones(rng: np.random.Generator, scale: np.ndarray) -> np.ndarray:
    """A handle from below and a ball in front of or under the mouth: (B, MOST_OCCLUDERS, CORNERS, 2)."""
    count = len(scale)
    x, y = (rng.normal(middle, spread, count) for middle, spread in zip(BALL_MIDDLE, BALL_SPREAD, strict=True))
    lean, thick = rng.normal(0, HANDLE_LEAN_SPREAD, count), rng.uniform(*HANDLE_HALF, count) * scale
    handle = _capsules(x, y, x + lean, y + 200, thick)
    ball = _capsules(x, y, x, y + 1, thick * rng.uniform(*BALL_SIZE, count))
    return np.stack([handle] + [ball] * (MOST_OCCLUDERS - 1), axis=1)


def _capsules(x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Outlines (B, CORNERS, 2) of lines with round ends, `half` wide to either side. All arguments are (B,)."""
    angle = np.arctan2(y1 - y0, x1 - x0)[:, None]
    turn = np.linspace(-np.pi / 2, np.pi / 2, CORNERS // 2)
    turns = np.concatenate([angle + turn, angle + np.pi + turn], axis=1)
    far = np.arange(CORNERS) < CORNERS // 2
    ends = [np.where(far, end[:, None], start[:, None]) for start, end in ((x0, x1), (y0, y1))]
    round_ = np.stack([np.cos(turns), np.sin(turns)], axis=2) * half[:, None, None]
    return np.stack(ends, axis=2) + round_


def _clothes(rng: np.random.Generator, neck: np.ndarray) -> np.ndarray:
    """Shoulders and, on every other person, an open collar or a tie: (B, 2, CORNERS, 2)."""
    count = len(neck)
    x, top = neck[:, 0], neck[:, 1] - rng.uniform(*SHOULDERS_ABOVE_NECK, count)
    wide, slope = rng.uniform(*SHOULDERS_HALF, count), rng.uniform(*SHOULDERS_DROP, count)
    half = rng.uniform(*COLLAR_HALF, count) * (rng.random(count) < COLLAR_WORN)
    low = np.full(count, CROP_SIZE + 176.0)
    xs = [x - wide, x - 0.8 * wide, x - 28, x + 28, x + 0.8 * wide, x + wide]
    ys = [low, top + slope, top, top, top + slope, low]
    shoulders = np.stack([np.stack(xs, axis=1), np.stack(ys, axis=1)], axis=2)
    drop = rng.uniform(*COLLAR_DROP, count) * (half > 0)
    collar = np.stack([np.stack([x - half, x + half, x], axis=1), np.stack([top, top, top + drop], axis=1)], axis=2)
    return np.stack([shoulders[:, np.minimum(np.arange(CORNERS), 5)], collar[:, np.minimum(np.arange(CORNERS), 2)]], 1)
