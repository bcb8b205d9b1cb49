"""Hair, hats and hoods, many at a time: rough shells in head space with an opening for the face."""

from __future__ import annotations

from dataclasses import dataclass

import array_api_compat
import numpy as np

from deep3d.arrays import Array, array_namespace

HAIR_COLOURS = np.array(
    [
        [0.06, 0.05, 0.05],
        [0.16, 0.11, 0.08],
        [0.30, 0.20, 0.13],
        [0.50, 0.37, 0.22],
        [0.72, 0.60, 0.40],
    ]
)
"""sRGB, from black to blond; people's hair lies anywhere between."""
RED_HAIR = np.array([0.45, 0.22, 0.12])
ROWS, COLUMNS = 26, 44  # of a shell's grid

# What people wear. Pairs are ranges of uniform draws, spreads are standard deviations of normal ones around no change,
# and gammas are (shape, scale). Lengths are in half axes of the skull: height 0 is its centre, 1 its crown.
WORN, HATS, LONG = 0.85, 0.12, 0.4  # shares of people, drawn independently
LOW_LONG, LOW_SHORT = (-2.2, -0.6), (-0.55, 0.25)  # heights
FRINGE_HAT, FRINGE_HAIR = (0.15, 0.6), (0.05, 0.75)  # heights
SIDE_LONG, SIDE_SHORT = (0.75, 1.5), (1.0, 1.7)  # radians from straight ahead
SOFTNESS = (0.06, 0.22)  # radians
PARTING_SPREAD = 0.35  # radians from the middle
LIFT = (0.0, 0.25)
THICKNESS_HAT = (0.02, 0.13)
THICKNESS_HAIR = (2.0, 0.09)  # gamma
THICKER_LONG, THICKER_SHORT = 1.3, 0.8  # factors of it
RAGGED_SPREAD = 0.03
BUMP_HEIGHT = (0, 0.08)
MOST_NARROWING, MOST_DARKENING = 0.12, 0.25  # uniform from 0; shares of the width, and of the brightness at the tips
BRIGHTNESS_SPREAD = 0.05  # of a factor around 1
STREAKS_HAT, STREAKS_HAIR = 0.05, (0.15, 0.45)  # contrast
SHINE_HAIR = (1.5, 0.35)  # gamma; hats have none

# Colours, sRGB.
HAT_CHANNEL = (0.02, 0.9)  # each of red, green and blue
DARK_BIAS = 1.5  # power of a uniform draw along HAIR_COLOURS: above 1, dark hair is the more frequent
RED, GREY = 0.08, 0.25  # shares of people; those of both are grey
PIGMENT = (0.8, 1.15)  # factor of the colour
GREY_LEVEL, GREY_TINT = (0.35, 0.9), (1.0, 0.99, 0.96)

# Waves, as the fields of Waves say.
WAVE_TURNS = (1, 7)  # whole numbers, the last excluded
WAVE_CLIMB_SPREAD = 3  # radians over a half axis of height
WAVE_PHASE = (0, 6.3)  # radians, about a whole turn


@dataclass(frozen=True)
class Waves:
    """B smooth random fields over a shell, about [-1, 1]: four cosines each. (B, 4), all numpy or all torch."""

    turns: Array  # whole waves round the head
    climb: Array  # radians over a half axis of height
    phase: Array  # radians

    def at(self, azimuth: Array, height: Array) -> Array:
        """Values (B, ROWS, COLUMNS) at azimuths (COLUMNS,) in radians and heights (B, ROWS, COLUMNS)."""
        xp = array_namespace(height)
        parts = [
            xp.cos(_wide(self.turns[:, k]) * azimuth + _wide(self.climb[:, k]) * height + _wide(self.phase[:, k]))
            for k in range(4)
        ]
        return (parts[0] + parts[1] + parts[2] + parts[3]) / 4


@dataclass(frozen=True)
class Hair:
    """Hair or headwear of B people. Lengths in half axes of the skull; (B,) unless noted."""

    worn: Array  # whether there is any
    hair_colour: Array  # (B, 3) sRGB of hair and beard
    colour: Array  # (B, 3) sRGB of the shell
    low: Array  # lowest height at the sides and behind
    fringe: Array  # lowest height over the brow
    side: Array  # azimuth where the opening for the face ends, radians
    softness: Array  # how gradually it ends, radians
    parting: Array  # azimuth, radians
    lift: Array  # of the fringe at the parting
    thickness: Array
    ragged: Array  # (B, COLUMNS) of the lower border
    bumps: Waves
    bump_height: Array
    narrowing: Array  # of what hangs below the skull
    shades: Waves
    brightness: Array
    darkening: Array  # toward the tips
    streaks: Array  # contrast of the texture
    shine: Array  # of the band of light


@dataclass(frozen=True)
class Shells:
    """B grids of ROWS x COLUMNS = N vertices over heads, and their appearance."""

    vertices: Array  # (B, N, 3) decimetres
    colours: Array  # (B, N, 3) sRGB
    strand: Array  # (B, N, 2) coordinates of the hair texture


def random_hair(rng: np.random.Generator, count: int) -> Hair:
    """Short or long hair for most people, a hat or hood for some, nothing for the rest."""
    hat, long = rng.random(count) < HATS, rng.random(count) < LONG
    hair_colour = _colours(rng, count)
    thick = rng.gamma(*THICKNESS_HAIR, count) * np.where(long, THICKER_LONG, THICKER_SHORT)
    return Hair(
        worn=rng.random(count) < WORN,
        hair_colour=hair_colour,
        colour=np.where(hat[:, None], rng.uniform(*HAT_CHANNEL, (count, 3)), hair_colour),
        low=np.where(long, rng.uniform(*LOW_LONG, count), rng.uniform(*LOW_SHORT, count)),
        fringe=np.where(hat, rng.uniform(*FRINGE_HAT, count), rng.uniform(*FRINGE_HAIR, count)),
        side=np.where(long, rng.uniform(*SIDE_LONG, count), rng.uniform(*SIDE_SHORT, count)),
        softness=rng.uniform(*SOFTNESS, count),
        parting=rng.normal(0, PARTING_SPREAD, count),
        lift=rng.uniform(*LIFT, count),
        thickness=np.where(hat, rng.uniform(*THICKNESS_HAT, count), thick),
        ragged=rng.normal(0, RAGGED_SPREAD, (count, COLUMNS)),
        bumps=_random_waves(rng, count),
        bump_height=rng.uniform(*BUMP_HEIGHT, count),
        narrowing=MOST_NARROWING * rng.random(count),
        shades=_random_waves(rng, count),
        brightness=1 + rng.normal(0, BRIGHTNESS_SPREAD, count),
        darkening=MOST_DARKENING * rng.random(count),
        streaks=np.where(hat, STREAKS_HAT, rng.uniform(*STREAKS_HAIR, count)),
        shine=np.where(hat, 0.0, rng.gamma(*SHINE_HAIR, count)),
    )


def hair_shells(hair: Hair, skull: Array) -> Shells:
    """The shells round heads whose skull has this centre and these half axes: (2, 3) decimetres."""
    xp = array_namespace(hair.low)
    device = array_api_compat.device(hair.low)
    azimuth = xp.linspace(-np.pi, np.pi, COLUMNS, device=device, dtype=hair.low.dtype)
    share = xp.linspace(0, 1, ROWS, device=device, dtype=hair.low.dtype)[:, None]
    # lowest height of the shell at each azimuth, 0 is straight ahead: fringe over the brow, then down behind the face
    opening = 1 / (1 + xp.exp(-(xp.abs(azimuth) - hair.side[:, None]) / hair.softness[:, None]))
    swing = hair.lift[:, None] * xp.cos(azimuth - hair.parting[:, None]) * (1 - opening) + hair.ragged
    bottom = (1 - opening) * hair.fringe[:, None] + opening * hair.low[:, None] + swing
    height = 1 + (xp.clip(bottom, -2.5, None)[:, None] - 1) * share  # 1 is the crown
    circle = xp.sqrt(xp.clip(1 - xp.clip(height, 0, 1) ** 2, 0, 1))
    bump = 1 + _wide(hair.bump_height) * hair.bumps.at(azimuth, height)
    thickness = _wide(hair.thickness)
    fall = 1 - _wide(hair.narrowing) * xp.clip(-height, 0, 1)
    reach = (1 + thickness * xp.clip(share * 5, 0.3, 1)) * bump * fall * circle
    (x, y, z), (wide, tall, deep) = skull
    vertices = xp.stack(
        [
            x + wide * reach * xp.sin(azimuth),
            y + tall * xp.where(height > 0, height * (1 + thickness), height),
            z + deep * reach * xp.cos(azimuth),
        ],
        axis=-1,
    )
    shade = _wide(hair.brightness) + 0.12 * hair.shades.at(azimuth, height) - _wide(hair.darkening) * share
    colours = xp.clip(hair.colour[:, None, None] * shade[..., None], 0, 1)
    strand = xp.stack(xp.broadcast_arrays(azimuth * 9, height * 0.8), axis=-1)
    return Shells(*(xp.reshape(field, (len(height), ROWS * COLUMNS, -1)) for field in (vertices, colours, strand)))


def _colours(rng: np.random.Generator, count: int) -> np.ndarray:
    """(B, 3) sRGB of hair, from black to blond, red or grey."""
    steps = len(HAIR_COLOURS) - 1
    position = rng.random(count) ** DARK_BIAS * steps
    channels = [np.interp(position, np.arange(steps + 1), HAIR_COLOURS[:, channel]) for channel in range(3)]
    red = rng.random(count) < RED
    colour = np.where(red[:, None], RED_HAIR, np.stack(channels, axis=1)) * rng.uniform(*PIGMENT, (count, 1))
    grey = rng.uniform(*GREY_LEVEL, (count, 1)) * GREY_TINT
    return np.where(rng.random((count, 1)) < GREY, grey, colour)


def _random_waves(rng: np.random.Generator, count: int) -> Waves:
    size = (count, 4)
    return Waves(
        turns=rng.integers(*WAVE_TURNS, size).astype(float),
        climb=rng.normal(0, WAVE_CLIMB_SPREAD, size),
        phase=rng.uniform(*WAVE_PHASE, size),
    )


def _wide(values: Array) -> Array:
    """(B,) as (B, 1, 1)."""
    return values[:, None, None]


def grid_triangles(rows: int, columns: int) -> np.ndarray:
    """Triangles (M, 3) of a rows x columns grid."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1, 1)
    return np.concatenate([corner + [0, columns, 1], corner + [1, columns, columns + 1]]).astype(np.int32)


SHELL_TRIANGLES = grid_triangles(ROWS, COLUMNS)
"""Triangles (M, 3) of every shell."""
