"""What covers a head: hair, hats and hoods as rough shells in head space, glasses as thick lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True)
class Shell:
    """A grid over the head: vertices in model space and how they look."""

    vertices: np.ndarray  # (N, 3) decimetres
    triangles: np.ndarray  # (M, 3)
    colours: np.ndarray  # (N, 3) sRGB
    strand: np.ndarray  # (N, 2) coordinates of the hair texture
    streaks: float  # contrast of that texture


@dataclass(frozen=True)
class Glasses:
    """Two rims and what holds them, as polylines in model space, and the look of the lenses."""

    lines: tuple[np.ndarray, ...]  # each (N, 3) decimetres
    lenses: tuple[np.ndarray, ...]  # two closed polygons (N, 3)
    colour: np.ndarray  # (3,)
    width_dm: float
    lens_colour: np.ndarray  # (3,)
    lens_opacity: float


def random_hair_colour(rng: np.random.Generator) -> np.ndarray:
    """(3,) sRGB; grey for one in four."""
    if rng.random() < 0.25:
        return np.full(3, rng.uniform(0.35, 0.9)) * [1.0, 0.99, 0.96]
    steps = len(HAIR_COLOURS) - 1
    position = rng.random() ** 1.5 * steps
    low = min(int(position), steps - 1)
    colour = HAIR_COLOURS[low] + (position - low) * (HAIR_COLOURS[low + 1] - HAIR_COLOURS[low])
    return (RED_HAIR if rng.random() < 0.08 else colour) * rng.uniform(0.8, 1.15)


def random_hair(rng: np.random.Generator, head: np.ndarray, colour: np.ndarray, hat: bool) -> Shell:
    """A shell round the head with an opening for the face: short or long hair, or a hat or hood.

    `head` holds the centre of the skull and its half axes: (2, 3) decimetres.
    """
    centre, axes = head
    long = rng.random() < 0.4
    low = rng.uniform(-2.2, -0.6) if long else rng.uniform(-0.55, 0.25)
    fringe = rng.uniform(0.05, 0.75) if not hat else rng.uniform(0.15, 0.6)
    side = rng.uniform(0.75, 1.5) if long else rng.uniform(1.0, 1.7)
    parting, lift = rng.normal(0, 0.35), rng.uniform(0.0, 0.25)
    thickness = rng.uniform(0.02, 0.13) if hat else rng.gamma(2.0, 0.09) * (1.3 if long else 0.8)
    azimuth = np.linspace(-np.pi, np.pi, COLUMNS, endpoint=True)
    turn = np.abs(azimuth)
    # lowest height of the shell at each azimuth, 0 is straight ahead: fringe over the brow, then down behind the face
    opening = 1 / (1 + np.exp(-(turn - side) / rng.uniform(0.06, 0.22)))
    swing = lift * np.cos(azimuth - parting) * (1 - opening) + rng.normal(0, 0.03, COLUMNS)
    bottom = (1 - opening) * fringe + opening * low + swing
    share = np.linspace(0, 1, ROWS)[:, None]
    height = 1.0 + (np.maximum(bottom, -2.5) - 1.0) * share  # 1 is the crown, in half axes
    round_part = np.sqrt(np.clip(1 - np.clip(height, 0, 1) ** 2, 0, 1))
    bump = 1 + rng.uniform(0, 0.08) * _waves(rng, azimuth, height)
    grown = (1 + thickness * np.clip(share * 5, 0.3, 1)) * bump
    fall = 1 - 0.12 * np.clip(-height, 0, 1) * (1 - rng.random())
    vertices = np.stack(
        [
            centre[0] + axes[0] * grown * fall * round_part * np.sin(azimuth),
            centre[1] + axes[1] * np.where(height > 0, height * (1 + thickness), height),
            centre[2] + axes[2] * grown * fall * round_part * np.cos(azimuth),
        ],
        axis=-1,
    ).reshape(-1, 3)
    shade = 1 + rng.normal(0, 0.05) + 0.12 * _waves(rng, azimuth, height) - 0.25 * share * rng.random()
    colours = np.clip(colour * shade[..., None], 0, 1).reshape(-1, 3)
    strand = np.stack(np.broadcast_arrays(azimuth * 9, height * 0.8), axis=-1).reshape(-1, 2)
    return Shell(vertices, grid_triangles(ROWS, COLUMNS), colours, strand, 0.05 if hat else rng.uniform(0.15, 0.55))


def random_glasses(rng: np.random.Generator, eyes: np.ndarray, ears: np.ndarray, nose_bridge: np.ndarray) -> Glasses:
    """Glasses on the eye centres (2, 3), ears (2, 3) and bridge (3,) of a head, decimetres."""
    half_width, half_height = rng.uniform(0.21, 0.30), rng.uniform(0.13, 0.26)
    power = rng.uniform(2, 5)
    angle = np.linspace(0, 2 * np.pi, 40)
    outline = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    outline = np.sign(outline) * np.abs(outline) ** (2 / power) * [half_width, half_height]
    drop = rng.uniform(-0.06, 0.03)
    rims = []
    for eye, sign in zip(eyes, (-1, 1)):
        middle = np.array([eye[0] + sign * rng.uniform(0, 0.03), eye[1] + drop, nose_bridge[2] + 0.06])
        bend = -0.25 * np.abs(outline[:, 0])
        rims.append(middle + np.stack([outline[:, 0], outline[:, 1], bend], axis=1))
    inner = [rims[0][np.argmax(rims[0][:, 0])], rims[1][np.argmin(rims[1][:, 0])]]
    outer = [rims[0][np.argmin(rims[0][:, 0])], rims[1][np.argmax(rims[1][:, 0])]]
    arch = np.linspace(inner[0], inner[1], 9) + np.sin(np.linspace(0, np.pi, 9))[:, None] * [0, 0.05, 0.05]
    temples = [np.linspace(corner + [0, 0.05, 0], ear + [0, 0.15, 0], 12) for corner, ear in zip(outer, ears)]
    rimless = rng.random() < 0.2
    dark = rng.random() < 0.15
    return Glasses(
        lines=tuple([arch, *temples] if rimless else [*rims, arch, *temples]),
        lenses=tuple(rims),
        colour=rng.uniform(0, 0.25, 3) if rng.random() < 0.7 else rng.uniform(0.2, 0.85, 3),
        width_dm=rng.uniform(0.012, 0.05),
        lens_colour=rng.uniform(0, 0.2, 3) if dark else rng.uniform(0.4, 1.0, 3),
        lens_opacity=rng.uniform(0.5, 0.95) if dark else rng.beta(1, 5) * 0.5,
    )


def _waves(rng: np.random.Generator, azimuth: np.ndarray, height: np.ndarray) -> np.ndarray:
    """A smooth random field over the shell, about [-1, 1]."""
    total = np.zeros(np.broadcast_shapes(azimuth.shape, height.shape))
    for _ in range(4):
        total += np.cos(rng.integers(1, 7) * azimuth + rng.normal(0, 3) * height + rng.uniform(0, 6.3))
    return total / 4


def grid_triangles(rows: int, columns: int) -> np.ndarray:
    """Triangles (M, 3) of a rows x columns grid."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1, 1)
    return np.concatenate([corner + [0, columns, 1], corner + [1, columns, columns + 1]]).astype(np.int32)
