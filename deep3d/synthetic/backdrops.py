"""What is behind heads in portraits: walls, flags, leaves, stripes, and what looks like hair or skin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from deep3d.synthetic.painting import NOISE_SIZE
from deep3d.synthetic.people.hair import HAIR_COLOURS
from deep3d.synthetic.surfaces import PICTURE

KINDS = {"plain": 0.34, "flag": 0.2, "grain": 0.2, "boxes": 0.12, "strips": 0.14}
STRIP_WIDTH, STRIP_HEIGHT = 80, 280  # of a portrait's 512 pixels: upper corners, where nobody is


def read_strips(folder: Path | None, numbers: Sequence[int]) -> list[np.ndarray]:
    """The upper left and right borders (STRIP_HEIGHT, STRIP_WIDTH, 3) uint8 of portraits, without people."""
    strips: list[np.ndarray] = []
    if folder is None:
        return strips
    for number in numbers:
        path = folder / "photos" / f"portrait_{number:03d}.jpg"
        if path.exists():
            with Image.open(path) as photo:
                pixels = np.asarray(photo.convert("RGB"))
            strips += [pixels[:STRIP_HEIGHT, :STRIP_WIDTH], pixels[:STRIP_HEIGHT, -STRIP_WIDTH:][:, ::-1]]
    return strips


def random_backdrop(
    rng: np.random.Generator, picture: np.ndarray, noise: np.ndarray, alike: np.ndarray, strips: list[np.ndarray]
) -> np.ndarray:
    """(H, W, 3) float32 about [0, 1]; `picture` is a plain one, `alike` (K, 3) are colours of the hair and skin."""
    kind = rng.choice(list(KINDS), p=list(KINDS.values()))
    if kind == "flag":
        drawn = _flag(rng, noise)
    elif kind == "grain":
        drawn = _grain(rng, noise, alike)
    elif kind == "boxes":
        drawn = _boxes(rng, alike)
    elif kind == "strips" and strips:
        return _strips(rng, strips)
    else:
        if rng.random() < 0.35:
            colour = alike[rng.integers(len(alike))] * np.exp(rng.normal(0, 0.15, 3))
            picture = 0.3 * picture + 0.7 * colour.astype(np.float32)
        return picture
    if rng.random() < 0.5:  # on one side only
        share = 1 / (1 + np.exp(-(np.arange(PICTURE[1]) - rng.uniform(30, 194)) / rng.uniform(1, 4)))
        share = share if rng.random() < 0.5 else share[::-1]
        drawn = picture + share[:, None] * (drawn - picture)
    blur = rng.choice([0, rng.gamma(1.5, 1.5)])
    return np.asarray(ndimage.gaussian_filter(drawn, (blur, blur, 0)), np.float32) if blur else drawn


def _coordinates(rng: np.random.Generator, noise: np.ndarray, bent: float) -> tuple[np.ndarray, np.ndarray]:
    """Turned and bent columns and rows (H, W)."""
    rows, columns = np.indices(PICTURE, np.float32)
    angle = rng.uniform(0, np.pi)
    waves = np.asarray(ndimage.zoom(noise[-1][:32, :32], PICTURE[0] / 32, order=1)) * bent
    u = np.cos(angle) * columns + np.sin(angle) * rows + waves
    return u, -np.sin(angle) * columns + np.cos(angle) * rows + np.roll(waves, 50, axis=0)


def _flag(rng: np.random.Generator, noise: np.ndarray) -> np.ndarray:
    """Stripes of two or three colours in folds, in some with stars, in some with a fringe."""
    u, v = _coordinates(rng, noise, rng.uniform(2, 14))
    colours = np.array([[0.7, 0.1, 0.15], [0.92, 0.9, 0.88], [0.1, 0.13, 0.3]])
    if rng.random() < 0.5:
        colours = rng.random((3, 3))
    wide = rng.uniform(8, 40)
    which = (np.floor(u / wide) % 2).astype(int)
    field = np.where(v < rng.uniform(-60, 160), 2, which) if rng.random() < 0.6 else which
    cloth = colours[field]
    if rng.random() < 0.5:
        spots = (np.cos(u * 6.28 / wide) + np.cos(v * 6.28 / wide) > 1.2) & (field == 2)
        cloth = np.where(spots[..., None], 0.9, cloth)
    folds = 1 + rng.uniform(0.1, 0.45) * np.sin(u / rng.uniform(4, 18) + 0.02 * v + rng.uniform(0, 6))
    return (cloth * folds[..., None] * rng.uniform(0.5, 1.05)).astype(np.float32)


def _grain(rng: np.random.Generator, noise: np.ndarray, alike: np.ndarray) -> np.ndarray:
    """Noise drawn out in one direction, as wood, fur, curtains and leaves have it, often in the hair's own colour."""
    u, v = _coordinates(rng, noise, rng.uniform(0, 25))
    field = noise[rng.integers(len(noise))]
    across, along = np.exp(rng.uniform(np.log(0.3), np.log(3))), np.exp(rng.uniform(np.log(0.03), np.log(3)))
    value = ndimage.map_coordinates(field, [u * across % NOISE_SIZE, v * along % NOISE_SIZE], order=1, mode="wrap")
    base = alike[rng.integers(len(alike))] if rng.random() < 0.5 else rng.random(3)
    other = base * np.exp(rng.normal(0, 0.3, 3)) if rng.random() < 0.6 else rng.random(3)
    share = np.clip(0.5 + rng.uniform(0.2, 0.7) * value, 0, 1)[..., None]
    return (base + share * (other - base)).astype(np.float32)


def _boxes(rng: np.random.Generator, alike: np.ndarray) -> np.ndarray:
    """Shelves, doors, windows: upright and level boxes."""
    picture = np.broadcast_to(rng.random(3), (*PICTURE, 3)).astype(np.float32)
    for _ in range(rng.integers(4, 30)):
        left, top = rng.integers(-40, PICTURE[1], 2)
        wide, tall = (np.exp(rng.uniform(1, 4.6, 2))).astype(int) + 2
        near = rng.random() < 0.3
        colour = HAIR_COLOURS[rng.integers(len(HAIR_COLOURS))] if near else rng.random(3) * rng.uniform(0.3, 1)
        colour = alike[rng.integers(len(alike))] if rng.random() < 0.15 else colour
        picture[max(top, 0) : max(top + tall, 0), max(left, 0) : max(left + wide, 0)] = colour
    return picture


def _strips(rng: np.random.Generator, strips: list[np.ndarray]) -> np.ndarray:
    """The borders of two portraits at the sides, blended in the middle."""
    sides = []
    for _ in range(2):
        strip = strips[rng.integers(len(strips))]
        wide, tall = int(rng.uniform(60, 224)), PICTURE[0]
        sized = np.asarray(Image.fromarray(strip).resize((wide, tall), Image.Resampling.BILINEAR), np.float32) / 255
        sides.append(
            np.pad(sized, ((0, 0), (0, PICTURE[1] - wide), (0, 0)), mode="symmetric" if wide >= 112 else "edge")
        )
    share = 1 / (1 + np.exp(-(np.arange(PICTURE[1]) - rng.uniform(80, 144)) / rng.uniform(0.5, 20)))
    return (sides[0] + share[:, None] * (sides[1][:, ::-1] - sides[0])).astype(np.float32)
