"""Chests, shoulders and what is worn on them, as grids round a vertical axis below the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.synthetic.things import any_colours

ROWS, COLUMNS = 26, 48
TOP, BOTTOM = -0.75, -4.6  # decimetres in head space
NECK = np.array([0.0, -1.05, -0.62])  # where a head turns on its body
SLOPE = (0.25, 0.9)  # decimetres that shoulders fall
HALF_SHOULDERS, HALF_DEPTH = (1.6, 2.5), (0.75, 1.15)
HALF_NECK = (0.46, 0.62)
LIGHT = np.array([0.92, 0.93, 0.95])  # shirts


@dataclass(frozen=True)
class Garment:
    """One layer round a chest, decimetres in body space."""

    vertices: np.ndarray  # (ROWS * COLUMNS, 3)
    edge: np.ndarray  # (ROWS * COLUMNS,) inside its border, negative outside
    colours: np.ndarray  # (ROWS * COLUMNS, 3) sRGB
    skin: bool


def random_body(rng: np.random.Generator, skin_colour: np.ndarray) -> list[Garment]:
    """A bare chest, and over it a shirt or blouse, and over that in many a jacket."""
    shape = _Shape.draw(rng)
    bare = np.broadcast_to(skin_colour, (ROWS * COLUMNS, 3))
    chest = shape.loft(0.0)
    garments = [Garment(chest, chest[:, 1] * 0 + 1, bare, True)]
    plunge, wide = rng.choice([0.0, rng.uniform(0, 1.3)]), rng.uniform(0.3, 1.2)
    collar = rng.uniform(-1.6, -1.05) if rng.random() < 0.8 else rng.uniform(-1.1, -0.9)
    colour = LIGHT * rng.uniform(0.7, 1) if rng.random() < 0.45 else any_colours(rng, ())
    garments.append(shape.garment(rng.uniform(0.02, 0.08), collar, plunge, wide, _painted(rng, colour)))
    if rng.random() < 0.55:
        dark = rng.random() < 0.6
        colour = rng.uniform(0.03, 0.3) + rng.normal(0, 0.03, 3) if dark else any_colours(rng, ())
        fill = rng.uniform(0.3, 2.4), rng.uniform(0.25, 0.9)
        garments.append(shape.garment(rng.uniform(0.1, 0.2), rng.uniform(-1.5, -1.1), *fill, _painted(rng, colour)))
    return garments


def _painted(rng: np.random.Generator, colour: np.ndarray) -> np.ndarray:
    """(ROWS, COLUMNS, 3) of one colour, or of stripes, with a tie in some."""
    colours = np.broadcast_to(np.clip(colour, 0, 1), (ROWS, COLUMNS, 3)).copy()
    if rng.random() < 0.12:
        colours[:, :: rng.integers(2, 5)] = rng.random(3)
    if rng.random() < 0.12:
        colours[:: rng.integers(2, 4)] = rng.random(3)
    if rng.random() < 0.3:
        middle = COLUMNS // 2
        colours[4:, middle - 1 : middle + 1] = rng.random(3) * rng.uniform(0.3, 1)
    return colours


@dataclass(frozen=True)
class _Shape:
    slope: float
    half: float
    deep: float
    neck: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> _Shape:
        return cls(*(float(rng.uniform(*span)) for span in (SLOPE, HALF_SHOULDERS, HALF_DEPTH, HALF_NECK)))

    def loft(self, off: float) -> np.ndarray:
        """(ROWS * COLUMNS, 3) so many decimetres off the skin; the middle column is in front."""
        height = np.linspace(TOP, BOTTOM, ROWS)[:, None]
        azimuth = np.linspace(-np.pi, np.pi, COLUMNS)[None]
        down = np.clip((-1.35 - height) / self.slope, 0, None)
        out = 1 - np.exp(-(down**1.3))
        flare = 0.25 * np.clip((height + 1.45) / 0.35, 0, 1) * 0
        wide = self.neck + (self.half - self.neck) * out + off + flare
        deep = 0.6 + (self.deep - 0.6) * np.clip(down / 1.2, 0, 1) + off
        x = wide * np.sign(np.sin(azimuth)) * np.abs(np.sin(azimuth)) ** 0.9
        z = -0.75 + 0.1 * np.clip(down, 0, 1) + deep * np.sign(np.cos(azimuth)) * np.abs(np.cos(azimuth)) ** 0.9
        return np.stack([x, np.broadcast_to(height, x.shape), z], axis=-1).reshape(-1, 3)

    def garment(self, off: float, collar: float, plunge: float, wide: float, colours: np.ndarray) -> Garment:
        """A layer that ends at the height of its collar, lower in front."""
        vertices = self.loft(off)
        azimuth = np.tile(np.linspace(-np.pi, np.pi, COLUMNS), ROWS)
        opening = plunge * np.clip(1 - np.abs(azimuth) / wide, 0, 1)
        return Garment(vertices, collar - opening - vertices[:, 1], colours.reshape(-1, 3), False)
