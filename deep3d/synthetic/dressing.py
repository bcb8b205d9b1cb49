"""What made-up heads wear, from the body outward: clothes, brows, a beard, hair, a bun, a hat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deep3d.camera import rotation_matrix
from deep3d.dense.layers import CLASSES
from deep3d.face_model import FaceModel
from deep3d.hair.fit import HairFields
from deep3d.hair.grid import COLUMNS, MIDDLE, ROWS, UPPER, azimuths
from deep3d.hair.model import HairModel
from deep3d.hair.shell import heights
from deep3d.synthetic.people import clothes
from deep3d.synthetic.people.anatomy import Anatomy
from deep3d.synthetic.people.hair import grid_triangles
from deep3d.synthetic.people.styles import random_style

SKIN, HAIR, BEARD, BROWS, HAT, CLOTHES = (
    CLASSES.index(name) for name in ("skin", "hair", "beard", "brows", "hat", "clothes")
)
BEARDED, TIED, GREYING = 0.16, 0.14, 0.25  # shares of people; the last of those with hair
BALL = 16, 24  # rows and columns of a bun
BROW_POINTS, BROW_ROWS = 13, 5
ROUND = grid_triangles(ROWS, COLUMNS + 1)


@dataclass(frozen=True)
class Worn:
    """A grid of vertices, what its pixels are, and how they look."""

    label: int  # of `CLASSES`
    vertices: np.ndarray  # (N, 3) decimetres in head space
    triangles: np.ndarray  # (T, 3) int32
    attributes: np.ndarray  # (N, 7) float32: see strands.py; colours without light
    look: tuple[float, float, float, float, float]  # see strands.py
    second: np.ndarray  # (3,) factors that make the second colour
    ragged: float = 0.0  # pixels by which outlines are displaced
    shine: float = 0.0  # of the band of light
    nearer: float = 0.03  # decimetres by which it lies nearer than it is, against flicker


@dataclass(frozen=True)
class Person:
    """One head that is to be dressed."""

    vertices: np.ndarray  # (V, 3) decimetres in head space
    normals: np.ndarray  # (V, 3)
    rotation: np.ndarray  # (3,) of the head, radians
    skin: np.ndarray  # (3,) sRGB
    hair: np.ndarray  # (3,) sRGB


class Wardrobe:
    """Dresses heads of one face model."""

    def __init__(self, model: FaceModel, anatomy: Anatomy, hair: HairModel) -> None:
        self._model, self._anatomy, self._hair = model, anatomy, hair
        self._points = model.landmarks(model.mean_shape[None])[0]

    def dress(self, rng: np.random.Generator, person: Person) -> Iterator[Worn]:
        """What a person wears."""
        yield from _body(rng, person)
        yield from self._brows(rng, person)
        if rng.random() < BEARDED:
            yield self._beard(rng, person)
        style = random_style(rng, self._hair)
        if style is None:
            return
        skin = self._hair.skin(person.vertices, self._model)
        look, second = _strand_look(rng, style.opacity), _second_colour(rng, person.hair)
        if (style.fields.edge > 0).any():
            yield self._shell(rng, style.fields, skin, HAIR, person.hair, second, look)
            if rng.random() < TIED:
                yield _ball(rng, skin, person.hair, second, look)
        if style.headwear is not None:
            cloth = rng.uniform(0.02, 0.9, 3) if rng.random() < 0.6 else np.full(3, rng.uniform(0.03, 0.9))
            plain = (1.0, rng.uniform(0.02, 0.15), 0.004, 0.012, rng.uniform(0, 0.3))
            hat = self._shell(rng, style.headwear, skin, HAT, cloth, rng.uniform(0.6, 1.3, 3), plain)
            yield hat
            if style.brim:
                yield _brim(hat, style.headwear, style.brim, style.visor, float(rng.uniform(-0.2, 0.35)))

    def _shell(self, rng, fields: HairFields, skin: np.ndarray, label: int, colour, second, look) -> Worn:
        """Hair or a hat over the grid, its columns closed by repeating the first."""
        outer = skin + heights(fields, self._hair.ears)[:, None] * self._hair.directions
        row = np.repeat(np.arange(ROWS), COLUMNS + 1)
        across, along = _strand_coordinates(rng)
        hair = label == HAIR
        tips = np.clip((row - rng.uniform(0, 40)) / 20, 0, 1) * rng.choice([0, 1]) * rng.uniform(0, 1)
        shade = 1 - hair * rng.uniform(0, 0.35) * np.clip((row - UPPER) / 20, 0, 1)
        parts = _closed(fields.edge[:, None]), across, along, tips + rng.uniform(-0.3, 0.5), colour * shade[:, None]
        ragged, shine = (rng.gamma(1.5, 0.8), rng.gamma(1.5, 0.3)) if hair else (rng.uniform(0, 0.8), 0.0)
        return Worn(label, _closed(outer), ROUND, _columns(*parts), look, second, ragged, shine)

    def _beard(self, rng: np.random.Generator, person: Person) -> Worn:
        """A full beard, a moustache or one round the chin, as a layer over the skin."""
        mean, grows, kind = self._model.mean_shape, self._anatomy.beard.copy(), rng.random()
        if kind < 0.25:
            grows *= mean[:, 1] > self._points[62, 1]
        elif kind < 0.5:
            grows *= np.clip((0.36 - np.abs(mean[:, 0])) / 0.05, 0, 1)
        hang = rng.choice([0, rng.uniform(0, 0.4)]) * np.clip((self._points[57, 1] - mean[:, 1]) / 0.3, 0, 1)
        placed = person.vertices + grows[:, None] * (
            person.normals * rng.uniform(0.01, 0.22) - hang[:, None] * np.array([0, 1, 0])
        )
        part = self._model.triangles[grows[self._model.triangles].max(axis=1) > 0.02]
        used, corners = np.unique(part, return_inverse=True)
        edge = 0.25 * (grows[used] - rng.uniform(0.25, 0.55))
        across, along = np.arctan2(mean[used, 0], mean[used, 2] + 0.3) * 60, mean[used, 1] * 25
        shade = person.hair * rng.uniform(0.7, 1.1)
        look = (rng.uniform(0.6, 1), rng.uniform(0.15, 0.5), 0.05, rng.uniform(0.02, 0.08), rng.uniform(0, 0.6))
        second = np.clip(np.exp(rng.normal(0.3, 0.5)) * np.ones(3), 0.4, 5)
        parts = _columns(edge, across, along, rng.uniform(-0.3, 0.6), shade + 0 * placed[used])
        triangles = corners.reshape(-1, 3).astype(np.int32)
        return Worn(BEARD, placed[used], triangles, parts, look, second, rng.uniform(0, 1.5))

    def _brows(self, rng: np.random.Generator, person: Person) -> Iterator[Worn]:
        points = self._model.landmarks(person.vertices[None])[0]
        half, thin, raised = rng.uniform(0.035, 0.075), rng.uniform(0.2, 0.7), rng.normal(0, 0.015)
        shade = person.hair * rng.uniform(0.5, 1.1)
        look = (rng.uniform(0.25, 1), rng.uniform(0.1, 0.5), 0.02, rng.uniform(0.012, 0.03), 0.3)
        place, level = np.linspace(0, 1, BROW_POINTS), np.linspace(-1, 1, BROW_ROWS)
        for line in (points[17:22], points[22:27][::-1]):  # from the outer ends
            along = np.stack([np.interp(place * 4, np.arange(5), line[:, axis]) for axis in range(3)], axis=1)
            wide = half * np.interp(place, [0, 0.3, 1], [thin, 0.9, 1])
            grid = along[:, None] + (wide[:, None] * level)[..., None] * np.array([0, 1.4, -0.3]) + [0, raised, 0]
            edge = wide[:, None] * (1 - np.abs(level)) * 1.0
            edge[[0, -1]] = -0.01
            s, t = np.meshgrid(np.arange(BROW_POINTS) * 6.0, level * 3, indexing="ij")
            parts = _columns(
                edge.ravel() - 0.004, s.ravel() + 4 * t.ravel(), t.ravel(), 0.0, shade + np.zeros((s.size, 3))
            )
            yield Worn(
                BROWS,
                grid.reshape(-1, 3),
                grid_triangles(BROW_POINTS, BROW_ROWS),
                parts,
                look,
                np.ones(3),
                nearer=0.015,
            )


def _body(rng: np.random.Generator, person: Person) -> Iterator[Worn]:
    """Chest and clothes, turned less than the head."""
    turn = rotation_matrix(person.rotation[None].astype(np.float64))[0]
    angles = person.rotation * [0.2, rng.uniform(0.1, 0.8), 0.2] + rng.normal(0, [0.06, 0.2, 0.05])
    body = rotation_matrix(angles[None])[0]
    for garment in clothes.random_body(rng, person.skin):
        placed = (garment.vertices - clothes.NECK) @ body.T @ turn + clothes.NECK
        azimuth = np.tile(np.arange(clothes.COLUMNS), clothes.ROWS)
        row = np.repeat(np.arange(clothes.ROWS), clothes.COLUMNS)
        across, along = azimuth * np.exp(rng.normal(1, 1)), row * np.exp(rng.normal(1, 1))
        contrast = rng.uniform(0.01, 0.04) if garment.skin else rng.gamma(1.5, 0.06)
        look = (1.0, contrast, 0.003, 0.012, 0.0)
        parts = _columns(garment.edge, across, along, 0.0, garment.colours)
        grid = grid_triangles(clothes.ROWS, clothes.COLUMNS)
        label = SKIN if garment.skin else CLOTHES
        yield Worn(label, placed, grid, parts, look, np.ones(3), 0.0 if garment.skin else rng.uniform(0, 0.7))


def _strand_look(rng: np.random.Generator, opacity: float) -> tuple[float, float, float, float, float]:
    return opacity, rng.uniform(0.08, 0.5), rng.uniform(0.01, 0.08), rng.uniform(0.015, 0.07), rng.uniform(0, 0.6)


def _second_colour(rng: np.random.Generator, colour: np.ndarray) -> np.ndarray:
    """Factors (3,) for other strands: lighter or darker, or grey."""
    if rng.random() < GREYING:
        return np.clip(rng.uniform(0.5, 0.95) / colour, 0.3, 8)
    return np.clip(np.exp(rng.normal(0.15, 0.5)) * np.exp(rng.normal(0, 0.06, 3)), 0.3, 3)


def _strand_coordinates(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Texture coordinates (ROWS * (COLUMNS + 1),) across and along strands that fall, slant, wave or curl."""
    row, column = (index.astype(float) for index in np.indices((ROWS, COLUMNS + 1)))
    fineness, drawn_out = np.exp(rng.uniform(np.log(1.0), np.log(6))), rng.choice([0.15, 0.5, 2.0], p=[0.5, 0.3, 0.2])
    slant = rng.normal(0, 0.5) * row
    wave = rng.choice([0, rng.uniform(0.2, 2)]) * np.sin(row * rng.uniform(0.3, 1.6) + column * rng.uniform(0, 0.5))
    across = (column + slant + wave) * fineness
    return across.ravel(), (row * fineness * drawn_out + 0.3 * column).ravel()


def _ball(rng: np.random.Generator, skin: np.ndarray, colour, second, look) -> Worn:
    """A bun or a ponytail on the back of the head."""
    theta, phi = np.meshgrid(np.linspace(0, np.pi, BALL[0]), np.linspace(-np.pi, np.pi, BALL[1]), indexing="ij")
    sphere = np.stack([np.sin(theta) * np.sin(phi), np.cos(theta), np.sin(theta) * np.cos(phi)], axis=-1).reshape(-1, 3)
    column, row = rng.integers(-14, 14) % COLUMNS, rng.integers(0, 26)
    size = rng.uniform(0.2, 0.45)
    root = skin[row * COLUMNS + column]
    out = root - MIDDLE
    middle = root + out / np.linalg.norm(out) * size * 0.5
    if rng.random() < 0.5:
        long = rng.uniform(0.5, 1.1)
        middle = middle - np.array([rng.normal(0, 0.25), long, 0])
        sphere = sphere * [1, 1 + long / size, 1]
    edge = np.full(len(sphere), 0.3)
    parts = _columns(edge, phi.ravel() * 20, theta.ravel() * 8, rng.uniform(-0.3, 0.5), colour + 0 * sphere)
    return Worn(HAIR, middle + size * sphere, grid_triangles(*BALL), parts, look, second, rng.gamma(1.5, 0.8))


def _brim(hat: Worn, fields: HairFields, width: float, visor: bool, falls: float) -> Worn:
    """A brim from where a hat ends, all round or in front."""
    grid = hat.vertices.reshape(ROWS, COLUMNS + 1, 3)
    last = np.argmin(np.abs(fields.edge.reshape(ROWS, COLUMNS)), axis=0)
    start = grid[np.append(last, last[0]), np.arange(COLUMNS + 1)]
    azimuth = np.append(azimuths(), np.pi)
    reach = width * (np.clip(np.cos(azimuth), 0, 1) ** 0.7 if visor else np.ones(COLUMNS + 1))
    out = np.stack([np.sin(azimuth), np.full(COLUMNS + 1, -falls), np.cos(azimuth)], axis=-1) * reach[:, None]
    steps = np.linspace(-0.1, 1, 4)
    vertices = start[None] + steps[:, None, None] * out[None]
    edge = np.broadcast_to(np.where(reach > 0.05, 0.3, -0.3), (4, COLUMNS + 1)).ravel()
    middle = hat.attributes.reshape(ROWS, COLUMNS + 1, -1)[2]
    attributes = np.tile(middle, (4, 1)).astype(np.float32)
    attributes[:, 0] = edge
    return Worn(HAT, vertices.reshape(-1, 3), grid_triangles(4, COLUMNS + 1), attributes, hat.look, hat.second)


def _closed(values: np.ndarray) -> np.ndarray:
    """(ROWS * (COLUMNS + 1), C) of values (POINTS, C), the first column repeated behind the last."""
    grid = values.reshape(ROWS, COLUMNS, -1)
    return np.concatenate([grid, grid[:, :1]], axis=1).reshape(ROWS * (COLUMNS + 1), -1)


def _columns(*parts) -> np.ndarray:
    """(N, 7) float32 of the columns of attributes; single numbers hold for all."""
    count = max(len(part) for part in parts if np.ndim(part))
    wide = [np.broadcast_to(part, (count,)) if np.ndim(part) == 0 else part for part in parts]
    return np.column_stack(wide).astype(np.float32)
