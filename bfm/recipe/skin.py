"""Procedural skin: people's albedo from melanin and haemoglobin, lips, brows, beard shadow, freckles, make-up, eyes.

The skin colour follows the two-layer picture of Jacques ("Skin optics", 1998): light passes twice through an epidermis
that holds melanin and is scattered back by a dermis that holds blood, whose diffuse reflectance is the dipole
approximation of Jensen et al. (2001). Nothing here comes from photographs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipe.source import Source
from recipe.topology import Topology, sphere_centre

WAVELENGTHS_NM = np.array([615.0, 545.0, 465.0])  # red, green, blue
MELANIN_PER_CM = 6.6e11 * WAVELENGTHS_NM**-3.33
BLOODLESS_PER_CM = 7.84e8 * WAVELENGTHS_NM**-3.255
BLOOD_PER_CM = np.array([14.0, 270.0, 200.0])  # whole blood, 75% oxygenated
SCATTERING_PER_CM = 46.0 * (WAVELENGTHS_NM / 500) ** -1.4
EPIDERMIS_PATH_CM = 0.011
CHANNEL_GAIN = np.array([1.22, 1.42, 1.18])  # brings the middle of the range to measured skin colours

HAIR_COLOURS = np.array(  # linear RGB, dark to fair, red, grey
    [
        [0.012, 0.010, 0.009],
        [0.035, 0.022, 0.015],
        [0.09, 0.05, 0.028],
        [0.30, 0.20, 0.10],
        [0.20, 0.07, 0.03],
        [0.4, 0.4, 0.4],
    ]
)
IRIS_COLOURS = np.array(
    [[0.05, 0.025, 0.012], [0.12, 0.06, 0.03], [0.12, 0.12, 0.05], [0.14, 0.22, 0.30], [0.25, 0.3, 0.33]]
)


def skin_colour(melanin: np.ndarray, blood: np.ndarray) -> np.ndarray:
    """Linear RGB (..., 3) of skin with these volume fractions of melanin (0.01 to 0.4) and blood (0.005 to 0.1)."""
    epidermis = melanin[..., None] * MELANIN_PER_CM + (1 - melanin[..., None]) * BLOODLESS_PER_CM
    passage = np.exp(-epidermis * EPIDERMIS_PATH_CM)
    dermis = blood[..., None] * BLOOD_PER_CM + BLOODLESS_PER_CM
    scattered = SCATTERING_PER_CM / (SCATTERING_PER_CM + dermis)
    root = np.sqrt(3 * (1 - scattered))
    reflectance = scattered / 2 * (1 + np.exp(-4.27 * root)) * np.exp(-root)
    return np.clip(CHANNEL_GAIN * passage**0.8 * reflectance, 0.004, 0.95)


def srgb(linear: np.ndarray) -> np.ndarray:
    """sRGB coding of linear values in [0, 1]."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@dataclass(frozen=True)
class Regions:
    """Where things are on the mean head: soft masks (V,) in [0, 1]."""

    facial: np.ndarray  # skin without scalp, lips included
    scalp: np.ndarray
    lips: np.ndarray
    brows: np.ndarray
    beard: np.ndarray
    moustache: np.ndarray
    lids: np.ndarray
    lash_line: np.ndarray
    flush: np.ndarray  # cheeks, nose tip, ears: more blood
    freckled: np.ndarray
    points: np.ndarray  # (V, 3) centimetres
    part: np.ndarray  # (V,) part name


FLUSHED = (((4.3, 0.8, 8.6), 2.2), ((-4.3, 0.8, 8.6), 2.2), ((0, 0.4, 12.6), 1.3))
"""Cheeks and nose tip, which redden: centres and sizes, centimetres of the source."""


def build_regions(source: Source, topology: Topology) -> Regions:
    """Paint the masks on the neutral head."""
    points = topology.resample(source.neutral)
    part = np.array(topology.part_names)[topology.vertex_part]
    skin = np.isin(part, ["face", "head"])
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    plane = np.stack([x, y], axis=1)
    landmarks = source.neutral[source.landmarks68]
    lips = _inside(points[:, :2], landmarks[48:60, :2], soft=0.22) * (skin & (z > 8.5))
    brows = _stroke(plane, [(1.15, 4.95), (2.2, 5.35), (3.6, 5.65), (4.9, 5.2), (5.7, 4.6)], 0.42, 0.3) * (z > 5)
    hairline = np.interp(x, [0, 3, 5.5, 7, 8], [9.3, 9.2, 8.0, 5.5, 2.5]) - np.clip(4 - z, 0, 9) * 1.35
    scalp = _ramp(y - hairline, 1.2) * skin * _ramp(y + 4.5, 1.5)
    ears = _ramp(1.1 - np.hypot((y - 1.2) / 3.3, (z - 0.3) / 2.3), 0.5) * _ramp(x - 6.9, 0.8) * skin
    scalp = scalp * (1 - ears)
    beard = (
        _ramp(-1.9 - 0.42 * (7.2 - x).clip(0, 7) * 0.55 + 1.4 - y, 1.2)
        * _ramp(y + 9.6, 1.2)
        * _ramp(z - 0.5, 1.5)
        * skin
    )
    moustache = _stroke(plane, [(0.2, -1.95), (1.6, -2.2), (2.9, -3.3)], 0.55, 0.35) * (z > 8)
    opening = _polygon_distance(plane, np.abs(landmarks[36:42, :2]))
    eyes = skin & (z > 7.3) & (y < 5)
    return Regions(
        facial=skin * (1 - scalp),
        scalp=scalp,
        lips=lips,
        brows=brows * skin,
        beard=np.maximum(beard, moustache) * (1 - lips) * skin,
        moustache=moustache * skin * (1 - lips),
        lids=_ramp(0.75 - opening, 0.5) * eyes,
        lash_line=_ramp(0.12 - opening, 0.12) * eyes,
        flush=np.maximum.reduce([*(_blob(points, *spot) for spot in FLUSHED), ears]) * skin,
        freckled=np.maximum(_blob(points, (3.2, 1.6, 9.5), 2.6), _blob(points, (-3.2, 1.6, 9.5), 2.6)) * skin,
        points=points,
        part=part,
    )


def random_albedo(
    regions: Regions, noise: Noise, source: Source, topology: Topology, rng: np.random.Generator
) -> np.ndarray:
    """One made-up person's albedo (V, 3), sRGB."""
    v = len(regions.points)
    tone = rng.random()
    melanin = np.full(v, 0.012 * (0.36 / 0.012) ** tone)
    blood = np.full(v, rng.uniform(0.012, 0.04))
    melanin *= np.exp(0.22 * rng.normal() * noise.field(6.0, rng) + 0.08 * noise.field(1.5, rng))
    blood *= np.exp(rng.uniform(0.1, 0.9) * regions.flush + 0.2 * noise.field(3.0, rng))
    freckles = np.clip(noise.field(0.55, rng) - 0.6, 0, 1) * regions.freckled
    melanin = melanin * (1 + (rng.random() < 0.2) * rng.uniform(1, 3) * freckles)
    melanin = melanin * (1 + rng.uniform(0, 0.5) * regions.lids)
    blood = blood * (1 + regions.lips * rng.uniform(1.0, 3.5))
    melanin = melanin * (1 + regions.lips * rng.uniform(0.0, 0.35))
    colour = skin_colour(np.clip(melanin, 0.005, 0.6), np.clip(blood, 0.004, 0.15))
    colour *= rng.uniform(0.88, 1.15)
    shade = rng.random() ** 1.5 * 2.6 if tone < 0.6 else rng.random() * 1.3
    hair = HAIR_COLOURS[0] * 1.0 if tone > 0.75 else _between(HAIR_COLOURS[:4], shade)
    hair = HAIR_COLOURS[4] if rng.random() < 0.05 else hair
    hair = HAIR_COLOURS[5] * rng.uniform(0.5, 1.3) if rng.random() < 0.2 else hair
    colour = _blend(colour, hair, regions.brows * rng.uniform(0.15, 0.95) * (0.8 + 0.2 * noise.field(0.55, rng)))
    if rng.random() < 0.5:
        stubble = rng.uniform(0, 0.6) * (0.85 + 0.15 * noise.field(0.55, rng))
        colour = _blend(colour, hair * 0.7 + 0.02, regions.beard * stubble)
    colour = _blend(colour, hair, regions.scalp * rng.uniform(0, 1.0))
    if rng.random() < 0.3:
        lipstick = rng.uniform([0.15, 0.01, 0.02], [0.6, 0.15, 0.15])
        colour = _blend(colour, lipstick, regions.lips * rng.uniform(0.2, 0.9))
        colour = _blend(colour, rng.uniform(0.02, 0.25, 3), regions.lids * rng.uniform(0, 0.5))
    colour = _blend(colour, np.array([0.02, 0.015, 0.012]), regions.lash_line * rng.uniform(0.2, 0.9))
    return srgb(_with_eyes_and_mouth(colour, regions, source, topology, rng))


def _with_eyes_and_mouth(
    colour: np.ndarray, regions: Regions, source: Source, topology: Topology, rng: np.random.Generator
) -> np.ndarray:
    """Linear colours (V, 3) with eyeballs, teeth, gums and sockets of their own."""
    colour = colour.copy()
    iris = _between(IRIS_COLOURS, rng.random() ** 2 * 4)
    for side in ("left", "right"):
        rows = regions.part == f"sclera_{side}"
        ball = source.neutral[topology.source_vertices[rows]]
        colour[rows] = _eye(ball, iris)
    teeth = np.array([0.75, 0.68, 0.55]) * rng.uniform(0.6, 1.05)
    colour[regions.part == "teeth"] = teeth
    colour[regions.part == "gums"] = np.array([0.42, 0.16, 0.15]) * rng.uniform(0.6, 1.1)
    socket = np.char.find(regions.part, "socket") >= 0
    colour[socket] = np.array([0.16, 0.05, 0.045]) * rng.uniform(0.6, 1.2)
    return colour


def _eye(ball: np.ndarray, iris: np.ndarray) -> np.ndarray:
    away = ball - sphere_centre(ball[ball[:, 2] < np.quantile(ball[:, 2], 0.6)])
    angle = np.degrees(np.arccos(np.clip(away[:, 2] / np.linalg.norm(away, axis=1), -1, 1)))
    white = np.array([0.72, 0.66, 0.62]) * (1 - 0.25 * _ramp(angle - 45, 30))[:, None]
    colour = _blend(white, iris, _ramp(23.5 - angle, 2.5))
    colour = _blend(colour, iris * 0.3, _ramp(23.5 - angle, 2.5) * _ramp(angle - 19, 3))
    return _blend(colour, np.array([0.006, 0.006, 0.006]), _ramp(9.5 - angle, 2.5))


def _between(table: np.ndarray, position: float) -> np.ndarray:
    """The row at a fractional position."""
    low = int(min(position, len(table) - 2))
    return table[low] + (position - low) * (table[low + 1] - table[low])


def _blend(below: np.ndarray, above: np.ndarray, amount: np.ndarray) -> np.ndarray:
    return below + np.clip(amount, 0, 1)[:, None] * (above - below)


def _ramp(value: np.ndarray, width: float) -> np.ndarray:
    """0 below -width / 2, 1 above width / 2, smooth between."""
    t = np.clip(value / width + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def _blob(points: np.ndarray, centre: tuple[float, float, float], radius: float) -> np.ndarray:
    return np.exp(-((points - centre) ** 2).sum(axis=1) / radius**2)


class Noise:
    """Smooth random fields of unit variance over the points, mixed from a stock of waves for each feature size."""

    SIZES_CM = (6.0, 3.0, 1.5, 0.55)
    STOCK = 200

    def __init__(self, points: np.ndarray, rng: np.random.Generator) -> None:
        self._waves = {}
        for size in self.SIZES_CM:
            phase = points @ rng.normal(0, 2 / size, (3, self.STOCK)) + rng.uniform(0, 2 * np.pi, self.STOCK)
            self._waves[size] = np.cos(phase).astype(np.float32)

    def field(self, size_cm: float, rng: np.random.Generator) -> np.ndarray:
        """One field (V,) with features of this size."""
        return self._waves[size_cm] @ rng.normal(0, np.sqrt(2 / self.STOCK), self.STOCK).astype(np.float32)


def _stroke(plane: np.ndarray, line: list[tuple[float, float]], half_width: float, soft: float) -> np.ndarray:
    return _ramp(half_width - _line_distance(plane, np.array(line)), soft)


def _inside(plane: np.ndarray, polygon: np.ndarray, soft: float) -> np.ndarray:
    return _ramp(-_polygon_distance(plane, polygon), soft)


def _polygon_distance(plane: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Signed distance to a closed polygon, negative inside."""
    closed = np.concatenate([polygon, polygon[:1]])
    x, y = plane[:, :1], plane[:, 1:]
    (x0, y0), (x1, y1) = closed[:-1].T, closed[1:].T
    crosses = (y0 > y) != (y1 > y)
    cut = x0 + (y - y0) * (x1 - x0) / np.where(y1 == y0, 1e-9, y1 - y0)
    inside = (crosses & (x < cut)).sum(axis=1) % 2 == 1
    return _line_distance(plane, closed) * np.where(inside, -1, 1)


def _line_distance(plane: np.ndarray, line: np.ndarray) -> np.ndarray:
    start, step = line[:-1], np.diff(line, axis=0)
    t = np.clip(((plane[:, None] - start) * step).sum(-1) / (step**2).sum(-1), 0, 1)
    return np.linalg.norm(plane[:, None] - start - t[..., None] * step, axis=-1).min(axis=1)
