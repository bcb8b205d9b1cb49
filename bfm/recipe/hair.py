"""Hairstyles made up from ten modelled ones over the grid of `deep3d.hair`, and their principal components."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
from scipy import ndimage

from deep3d.hair.grid import COLUMNS, LOWEST, POINTS, ROWS, UPPER, azimuths, rays
from deep3d.hair.morphology import blurred_round, distance

SHORT, LONG = (
    ("afro01", "short01", "short02", "short03", "short04", "ponytail01"),
    ("bob01", "bob02", "braid01", "long01"),
)
STYLES = (*SHORT, *LONG)
ELSEWHERE = {"bob01": 0.52, "braid01": 0.57, "long01": 0.57, "ponytail01": 0.58, "short04": 0.0}
"""Source units by which a style made on a smaller head is raised onto this one."""
EYES, CROWN, FOREHEAD = 7.3, 8.49, 1.55  # heights of the source's head, and how far its forehead lies in front
MODEL_EYES, MODEL_CROWN, MODEL_FOREHEAD = 0.27, 1.36, 0.45  # the same of the open model, decimetres
EARS = (slice(25, 37), (slice(12, 21), slice(52, 61)))  # rows and columns that ears cover
FARTHEST_EDGE = 0.5  # decimetres beyond which the distance to a hairline says nothing more
STEP = 0.085  # decimetres between neighbouring points, roughly
SCALE = 0.1, 0.2  # decimetres that count alike, of thickness and of distance to the hairline
COMPONENTS = 40
BURIED = -0.08  # decimetres: hair that lies deeper in the head is seen by nobody
BEYOND = 12  # points that the grid is continued by on each side, to measure distances in it
OFF_EDGES = 1e-4  # radians that rays are turned by: those in the plane of symmetry would run along edges


@dataclass(frozen=True)
class Style:
    """One head of hair over the grid."""

    thickness: np.ndarray  # (ROWS, COLUMNS) decimetres over the skin, sensible where there is no hair too
    edge: np.ndarray  # (ROWS, COLUMNS) decimetres inside the border of the hair, negative outside

    def mirrored(self) -> Style:
        """The same with left and right exchanged."""
        columns = (-np.arange(COLUMNS)) % COLUMNS
        return Style(self.thickness[:, columns], self.edge[:, columns])


def skin_distance(vertices: np.ndarray, triangles: np.ndarray, ears: bool = False) -> np.ndarray:
    """(ROWS, COLUMNS) distance along the rays to the skin of a head in model space, its ears taken away or not."""
    far = _below(_cast(*rays(), vertices, triangles))
    if ears:
        return far
    rows, sides = EARS
    hidden = np.zeros(far.shape, bool)
    for columns in sides:
        hidden[rows, columns] = True
    return _membrane(far, hidden)


def read_styles(path: Path) -> dict[str, Style]:
    """The source's styles by name."""
    source = np.load(path)
    head = _to_model(source["head_vertices"])
    skin = skin_distance(head, source["head_triangles"])
    skin[UPPER:] = np.minimum(skin[UPPER:], skin[UPPER] * 1.1)  # shoulders are not what hair lies on
    styles = {}
    for name in STYLES:
        vertices = source[f"{name}_vertices"] + [0, ELSEWHERE.get(name, 0.0), 0]
        far = _cast(*rays(), _to_model(vertices), source[f"{name}_triangles"])
        styles[name] = _style(far - skin)
    return styles


def random_styles(styles: dict[str, Style], rng: np.random.Generator, count: int) -> list[Style]:
    """Styles bent, cut, mixed, mirrored, thinned and made longer."""
    return [_random_style(styles, rng) for _ in range(count)]


def components(samples: list[Style]) -> dict[str, np.ndarray]:
    """Mean and principal components of thickness and edge, and the deviations of the components."""
    table = np.stack([np.concatenate([s.thickness.ravel() / SCALE[0], s.edge.ravel() / SCALE[1]]) for s in samples])
    mean = table.mean(axis=0)
    centred = (table - mean).astype(np.float32) / np.sqrt(len(samples))
    _, directions = np.linalg.eigh(centred @ centred.T)  # of fewer samples than numbers: by what they have in common
    basis = directions[:, ::-1][:, :COMPONENTS].T @ centred
    unit = np.repeat(SCALE, POINTS)
    return {"mean": mean * unit, "basis": basis * unit}


def _random_style(styles: dict[str, Style], rng: np.random.Generator) -> Style:
    long = rng.random() < 0.45
    names = [name for name in (LONG if long else SHORT) if name in styles]
    style = _mixed([styles[name] for name in rng.choice(names, 2, replace=False)], rng.beta(0.4, 0.4))
    if rng.random() < 0.5:
        style = style.mirrored()
    style = _lengthened(style, rng) if long and rng.random() < 0.5 else style
    style = _cut(style, rng) if rng.random() < 0.5 else style
    style = _hairline_moved(style, rng, long)
    volume = np.exp(rng.normal(0, 0.45) + 0.2 * _smooth_noise(rng))
    fade = rng.random() < 0.5 and not long
    sides = 1 - rng.uniform(0.3, 0.8) * _ramp(np.arange(ROWS), 12, 26)[:, None] if fade else 1.0
    close = rng.random() < 0.15 and not long
    thickness = rng.uniform(0.015, 0.06) if close else style.thickness * volume * sides
    return Style(np.clip(np.broadcast_to(thickness, (ROWS, COLUMNS)), 0, 1.6), style.edge)


def _mixed(pair: list[Style], share: float) -> Style:
    first, second = pair
    return Style(
        first.thickness + share * (second.thickness - first.thickness), first.edge + share * (second.edge - first.edge)
    )


def _lengthened(style: Style, rng: np.random.Generator) -> Style:
    """The lowest hair of each column beside and behind the face hung down to a new end."""
    heights = rays()[0][:, 0, 1]
    end = rng.uniform(LOWEST, -0.7)
    thickness, edge = style.thickness.copy(), style.edge.copy()
    origin = rng.uniform(0.9, 1.6)  # radians from straight ahead
    for column in np.flatnonzero(np.abs(azimuths()) > origin):
        covered = np.flatnonzero(edge[:, column] > 0)
        if len(covered):
            last = covered[-1]
            below = np.arange(ROWS) > last
            reach = max(float(thickness[last, column]), 0.08)
            thickness[below, column] = reach + 0.15 * np.clip(heights[last] - heights[below], 0, 1)
            edge[below, column] = np.clip(heights[below] - end, -FARTHEST_EDGE, FARTHEST_EDGE)
    return Style(blurred_round(thickness, 1.5), blurred_round(edge, 1.0))


def _cut(style: Style, rng: np.random.Generator) -> Style:
    """All that hangs lower than a level taken off."""
    heights = rays()[0][:, :1, 1] + np.where(np.arange(ROWS) < UPPER, 9, 0)[:, None]
    level = rng.uniform(-1.8, 0.1) + 0.06 * _smooth_noise(rng)
    front = np.abs(azimuths()) < 0.8
    return Style(
        style.thickness,
        np.where(front, style.edge, np.minimum(style.edge, np.clip(heights - level, -FARTHEST_EDGE, 9))),
    )


def _hairline_moved(style: Style, rng: np.random.Generator, long: bool) -> Style:
    """The hairline over the forehead higher or lower, receding at the temples, and for some people bald on top."""
    azimuth, row = azimuths()[None], np.arange(ROWS)[:, None]
    before = np.clip(np.cos(azimuth), 0, 1) ** 2
    edge = style.edge + before * rng.normal(-0.02, 0.14) + rng.normal(0, 0.05)
    temples = np.exp(-(((np.abs(azimuth) - 0.6) / 0.3) ** 2))
    edge = edge - temples * max(rng.normal(0, 0.12), 0) * (row < UPPER)
    if not long and rng.random() < 0.2:
        lowest = rng.uniform(8, 22)  # row down to which the top is bald
        reach = 1 - 0.5 * np.clip(-np.cos(azimuth), 0, 1)  # less far behind
        edge = np.minimum(edge, (row - lowest * reach) * STEP * 0.7)
    return Style(style.thickness, np.clip(edge, -FARTHEST_EDGE, FARTHEST_EDGE))


def _style(height: np.ndarray) -> Style:
    """From heights of hair over the skin, infinitely low where there is none."""
    around = np.pad(height > BURIED, ((BEYOND, BEYOND), (0, 0)), mode="edge")
    around = np.pad(around, ((0, 0), (BEYOND, BEYOND)), mode="wrap")
    closed = ndimage.binary_closing(around, np.ones((3, 3)), iterations=2)
    covered = np.asarray(ndimage.binary_opening(closed, np.ones((2, 2))), np.bool_)
    inside, outside = (STEP * distance(mask) for mask in (covered, ~covered))
    grid = slice(BEYOND, BEYOND + ROWS), slice(BEYOND, BEYOND + COLUMNS)
    edge = np.where(covered, inside - STEP / 2, STEP / 2 - outside)[grid]
    known = (height > BURIED) & covered[grid]
    weight = blurred_round(known.astype(float), 1.2)
    near = blurred_round(np.where(known, np.clip(height, 0, 2), 0), 1.2) / np.maximum(weight, 1e-3)
    thickness = _membrane(np.where(weight > 0.05, near, 0), weight <= 0.05)
    return Style(thickness, np.clip(blurred_round(edge, 0.7), -FARTHEST_EDGE, FARTHEST_EDGE))


def _to_model(vertices: np.ndarray) -> np.ndarray:
    """The source's space to that of the open model: eyes, crown and forehead onto each other."""
    scale = (MODEL_CROWN - MODEL_EYES) / (CROWN - EYES)
    x, y, z = np.asarray(vertices, np.float64).T
    return np.stack([x * scale, (y - EYES) * scale + MODEL_EYES, (z - FOREHEAD) + MODEL_FOREHEAD], axis=1)


def _ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((values - low) / (high - low), 0, 1)


def _smooth_noise(rng: np.random.Generator) -> np.ndarray:
    """(ROWS, COLUMNS) of deviation 1."""
    noise = blurred_round(rng.normal(size=(ROWS, COLUMNS)), 6)
    return noise / noise.std()


def _below(far: np.ndarray) -> np.ndarray:
    """Distances with those of the last row that meets the head going on below it."""
    lowest = np.flatnonzero(np.isfinite(far).all(axis=1))[-1] - 1
    return np.concatenate([far[:lowest], np.repeat(far[lowest : lowest + 1], ROWS - lowest, axis=0)])


def _membrane(values: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Values with the hidden ones as smooth as can be between the others."""
    filled = np.where(hidden, values[~hidden].mean(), values)
    for _ in range(600):
        ring = np.pad(filled, ((1, 1), (0, 0)), mode="edge")
        mean = (ring[:-2] + ring[2:] + np.roll(filled, 1, axis=1) + np.roll(filled, -1, axis=1)) / 4
        filled = np.where(hidden, mean, filled)
    return filled


def _cast(origins: np.ndarray, directions: np.ndarray, vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The farthest distance (ROWS, COLUMNS) at which each ray meets a triangle, -inf where it meets none."""
    aside = directions + OFF_EDGES * np.stack(
        [directions[..., 2], 0 * directions[..., 1], -directions[..., 0]], axis=-1
    )
    rows = origins.reshape(-1, 3), aside.reshape(-1, 3)
    return _farthest(*rows, vertices.astype(np.float64), triangles.astype(np.int64)).reshape(ROWS, COLUMNS)


@numba.njit(cache=True)
def _farthest(origins, directions, vertices, triangles):
    """Möller and Trumbore (1997)."""
    far = np.full(len(origins), -np.inf)
    for a, b, c in triangles:
        corner, first, second = vertices[a], vertices[b] - vertices[a], vertices[c] - vertices[a]
        for r in range(len(origins)):
            dx, dy, dz = directions[r, 0], directions[r, 1], directions[r, 2]
            px, py, pz = (
                dy * second[2] - dz * second[1],
                dz * second[0] - dx * second[2],
                dx * second[1] - dy * second[0],
            )
            det = first[0] * px + first[1] * py + first[2] * pz
            if abs(det) < 1e-12:
                continue
            sx, sy, sz = origins[r, 0] - corner[0], origins[r, 1] - corner[1], origins[r, 2] - corner[2]
            u = (sx * px + sy * py + sz * pz) / det
            if u < 0 or u > 1:
                continue
            qx, qy, qz = sy * first[2] - sz * first[1], sz * first[0] - sx * first[2], sx * first[1] - sy * first[0]
            v = (dx * qx + dy * qy + dz * qz) / det
            if v >= 0 and u + v <= 1:
                far[r] = max(far[r], (second[0] * qx + second[1] * qy + second[2] * qz) / det)
    return far
