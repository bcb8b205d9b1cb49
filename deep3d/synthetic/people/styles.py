"""Hairstyles, hats and scarves over the grid of `deep3d.hair`: how thick they are, and where they end.

Styles are drawn from the hair model, then cut, thinned, receded, made bald on top, or blown up to afros and curls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.hair.fit import HairFields
from deep3d.hair.grid import COLUMNS, POINTS, ROWS, UPPER, azimuths, rays
from deep3d.hair.model import HairModel
from deep3d.hair.morphology import blurred_round

STEP = 0.085  # decimetres between neighbouring points, roughly
DEEPEST = 0.5  # decimetres inside a border, beyond which it does not matter

# What people wear. Pairs are ranges of uniform draws, lengths are in decimetres.
SHARES = {"styled": 0.66, "close": 0.10, "wreath": 0.08, "big": 0.10, "bald": 0.06}
STYLE_SPREAD = (0.7, 1.25)  # factor of the model's deviations
CLOSE, CLOSE_OPACITY = (0.005, 0.04), (0.45, 0.95)
BIG = (0.15, 0.75)
EARS_FREE, EARS_FREE_LONG = 0.8, 0.15  # shares of short and of long styles behind ears
HUNG = 0.33  # share of styles that are made longer
HAT, SCARF = 0.08, 0.03
HAT_THICKNESS, SCARF_THICKNESS = (0.05, 0.3), (0.03, 0.2)


@dataclass(frozen=True)
class Style:
    """What one head wears over the grid's points (POINTS,), decimetres."""

    fields: HairFields
    opacity: float
    headwear: HairFields | None  # a hat or scarf over it
    brim: float  # width of the hat's brim, 0 without
    visor: bool  # whether that is only in front


def random_style(rng: np.random.Generator, model: HairModel) -> Style | None:
    """What somebody wears; None for a bald head without a hat."""
    kind = rng.choice(list(SHARES), p=list(SHARES.values()))
    drawn = rng.normal(size=len(model.basis)) * rng.uniform(*STYLE_SPREAD)
    table = (model.mean + drawn.astype(np.float32) @ model.basis).reshape(2, ROWS, COLUMNS)
    thickness, edge, opacity = np.clip(table[0], 0, None), table[1], 1.0
    edge = _receded(rng, edge)
    if kind == "close":
        thickness, edge = np.full_like(thickness, rng.uniform(*CLOSE)), np.minimum(edge, _above_nape(rng))
        opacity = rng.uniform(*CLOSE_OPACITY)
    if kind == "wreath":
        edge, thickness = np.minimum(edge, _bald_top(rng)), 0.6 * thickness
    if kind == "big":
        thickness = _blown_up(rng, thickness, edge)
    if kind == "bald":
        edge = np.full_like(edge, -DEEPEST)
    long = kind in ("styled", "big") and rng.random() < HUNG
    if long:
        thickness, edge = _hung(rng, thickness, edge)
    elif rng.random() < 0.4 and kind != "big":
        thickness = thickness * (1 - rng.uniform(0.3, 0.9) * _ramp(np.arange(ROWS), 12, 26)[:, None])
    if rng.random() < (EARS_FREE_LONG if long else EARS_FREE):
        edge = np.minimum(edge, _round_ears(rng))
    fields = _fields(thickness, edge)
    draw = rng.random()
    headwear, brim, visor = None, 0.0, False
    if draw < HAT:
        headwear, fields = _hat(rng, fields)
        brim, visor = float(rng.choice([0, rng.uniform(0.2, 0.9)])), bool(rng.random() < 0.5)
    elif draw < HAT + SCARF:
        headwear, fields = _scarf(rng, fields)
    if headwear is None and kind == "bald":
        return None
    return Style(fields, float(opacity), headwear, brim, visor)


def _fields(thickness: np.ndarray, edge: np.ndarray) -> HairFields:
    thick, deep = np.clip(thickness, 0, 1.2), np.clip(edge, -DEEPEST, DEEPEST)
    parts = [part.reshape(POINTS).astype(np.float32) for part in (thick, deep)]
    return HairFields(parts[0], parts[1], np.ones(POINTS, np.float32))


def _receded(rng: np.random.Generator, edge: np.ndarray) -> np.ndarray:
    """The hairline higher or lower, a fringe, receding temples, sideburns longer or shorter."""
    azimuth, row = azimuths()[None], np.arange(ROWS)[:, None]
    before = np.clip(np.cos(azimuth), 0, 1) ** 2
    edge = edge + before * rng.normal(-0.02, 0.12) + rng.normal(0, 0.04)
    for side in (-1, 1):
        temple = np.exp(-(((azimuth - side * rng.uniform(0.45, 0.75)) / 0.28) ** 2)) * (row < UPPER)
        edge = edge - temple * max(rng.normal(0.02, 0.12), 0)
        burn = np.exp(-(((azimuth - side * 1.25) / 0.2) ** 2) - ((row - UPPER - 2) / 5) ** 2)
        edge = edge + burn * rng.normal(0, 0.12)
    if rng.random() < 0.18:  # a fringe down to the brows
        middle, wide = rng.normal(0, 0.3), rng.uniform(0.5, 0.9)
        low = rng.uniform(17, 27) + 3 * (azimuth - middle) * rng.normal(0, 0.5)
        fringe = (low - row) * STEP - 3 * np.clip(np.abs(azimuth - middle) - wide, 0, 1)
        edge = np.maximum(edge, np.where(row > 6, fringe, edge))
    return edge + 0.04 * _noise(rng, 3)


def _round_ears(rng: np.random.Generator) -> np.ndarray:
    """Distance outside of ears, and of the skin below them."""
    azimuth, row = azimuths()[None], np.arange(ROWS)[:, None]
    nearest = np.full((ROWS, COLUMNS), DEEPEST)
    high = rng.uniform(25.5, 29)  # where the hair over ears ends
    for side in (-1, 1):
        aside = (azimuth - side * rng.uniform(1.65, 1.85)) / rng.uniform(0.3, 0.45)
        ear = np.hypot(aside, (row - high - 6) / 6.5) - 1
        below = np.maximum(np.abs(aside) - 1, (high + 6 - row) / 6.5)
        nearest = np.minimum(nearest, 0.4 * np.minimum(ear, below))
    return nearest


def _above_nape(rng: np.random.Generator) -> np.ndarray:
    heights = rays()[0][:, :1, 1] + np.where(np.arange(ROWS) < UPPER, 9, 0)[:, None]
    return np.clip(heights - rng.uniform(-0.5, 0.3), -DEEPEST, 9)


def _bald_top(rng: np.random.Generator) -> np.ndarray:
    """Distance inside what is left below a bald top, farther back in some, with an island at the forehead in others."""
    azimuth, row = azimuths()[None], np.arange(ROWS)[:, None]
    reach = 1 - rng.uniform(0.1, 0.8) * np.clip(-np.cos(azimuth), 0, 1)
    left = (row - rng.uniform(8, 25) * reach) * STEP * 0.7
    if rng.random() < 0.3:
        island = 0.12 - np.abs(azimuth) * 0.3 - 0.03 * np.abs(row - 13)
        left = np.maximum(left, island)
    return left


def _blown_up(rng: np.random.Generator, thickness: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """An afro, or curls that stand off at the sides."""
    row = np.arange(ROWS)[:, None]
    where = 1 - _ramp(row, *sorted(rng.uniform(14, 50, 2) + [0, 4]))
    bumps = 1 + rng.uniform(0, 0.35) * _noise(rng, rng.uniform(0.8, 2.5))
    return thickness + rng.uniform(*BIG) * where * bumps * _ramp(edge, 0, 0.3)


def _hung(rng: np.random.Generator, thickness: np.ndarray, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hair that hangs down beside and behind the face."""
    azimuth, row, heights = azimuths()[None], np.arange(ROWS)[:, None], rays()[0][:, :1, 1]
    origin, end = rng.uniform(0.7, 1.5), rng.uniform(-2.2, -0.5)
    middle = rng.normal(0, 0.15)
    beside = 0.9 * (np.abs(azimuth - middle) - origin) + 0.3 * np.clip((row - 14) / 20, -1, 1)
    hangs = np.minimum(beside, np.where(row < UPPER, 9, heights - end + 0.08 * _noise(rng, 2)))
    falls = np.where(row < UPPER - 3, 0, 1) * (
        np.maximum(thickness[UPPER - 4], 0.1)[None]
        + rng.uniform(0, 0.8) * np.clip(heights[UPPER - 4] - heights, 0, 1.5)
    )
    wavy = 1 + rng.uniform(0, 0.25) * _noise(rng, rng.uniform(1, 4))
    return np.maximum(thickness, falls * wavy), np.where(row > 8, np.maximum(edge, hangs), edge)


def _hat(rng: np.random.Generator, hair: HairFields) -> tuple[HairFields, HairFields]:
    """A hat down to a tilted plane, and the hair pressed flat under it."""
    up, forward = _heights(), _forward()
    plane = rng.uniform(0.45, 0.85) + rng.uniform(-0.25, 0.35) * forward
    edge = np.clip(up - plane, -DEEPEST, DEEPEST)
    pressed = _ramp(edge, -0.25, 0.0)
    under = hair.thickness.reshape(ROWS, COLUMNS) * (1 - 0.85 * pressed)
    tall = rng.uniform(*HAT_THICKNESS) + rng.choice([0, 0.5]) * rng.random() * _ramp(up, 0.9, 1.5)
    return _fields(np.maximum(under, 0.02) + tall, edge), _fields(under, hair.edge.reshape(ROWS, COLUMNS))


def _scarf(rng: np.random.Generator, hair: HairFields) -> tuple[HairFields, HairFields]:
    """A scarf round the face, or a hood, that hides the hair or shows some at the forehead."""
    azimuth, up = azimuths()[None], _heights()
    wide, top, low = rng.uniform(0.75, 1.15), rng.uniform(0.7, 1.05), rng.uniform(-1.6, -0.85)
    middle, half = (top + low) / 2, (top - low) / 2
    opening = np.hypot(azimuth / wide, (up - middle) / half) - 1
    edge = np.clip(0.7 * opening, -DEEPEST, DEEPEST) * np.ones((ROWS, COLUMNS))
    flat = 0.3 * hair.thickness.reshape(ROWS, COLUMNS)
    drape = rng.uniform(0.2, 0.9) * np.clip(-up - 1.0, 0, 1.2)
    under = hair.edge.reshape(ROWS, COLUMNS) - (0.6 if rng.random() < 0.7 else 0)
    thickness = flat + rng.uniform(*SCARF_THICKNESS) + drape + 0.05 * _noise(rng, 2.5)
    return _fields(thickness, edge), _fields(flat, np.where(np.arange(ROWS)[:, None] < UPPER, under, -DEEPEST))


def _heights() -> np.ndarray:
    """(ROWS, COLUMNS) heights of the points on an average head."""
    origins, directions = rays()
    return origins[..., 1] + 0.95 * directions[..., 1]


def _forward() -> np.ndarray:
    return rays()[1][..., 2]


def _noise(rng: np.random.Generator, points: float) -> np.ndarray:
    """(ROWS, COLUMNS) smooth over so many points, of deviation 1."""
    noise = blurred_round(rng.normal(size=(ROWS, COLUMNS)), points)
    return noise / noise.std()


def _ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((values - low) / (high - low), 0, 1)
