"""The random parameters of synthetic photos of heads, many at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np

from deep3d.arrays import Array
from deep3d.face_model import FaceModel
from deep3d.landmarks import five_points
from deep3d.synthetic.film import Film, random_film
from deep3d.synthetic.light import random_lighting
from deep3d.synthetic.painting import NOISE_SIZE
from deep3d.synthetic.people.eyes import Eyes, random_eyes
from deep3d.synthetic.people.glasses import Glasses, random_glasses
from deep3d.synthetic.people.hair import Hair, random_hair
from deep3d.synthetic.people.population import People, random_people
from deep3d.synthetic.things import Things, random_occluders, random_things_behind
from deep3d.synthetic.viewpoint import Standpoints, random_standpoints

T = TypeVar("T")

FINE_NOISES = 3  # of the noise bank, for skin and film grain


@dataclass(frozen=True)
class Skin:
    """Appearance of the skin of B people, besides its albedo. (B,) unless noted."""

    beard: Array  # share of hair in it where beards grow
    scalp: Array  # share of hair in it where there is no face
    occlusion: Array  # exponent of the ambient occlusion
    shadow_direction: Array  # (B, 3) unit vector across the edge of a cast shadow
    shadow_start: Array  # where the edge is along it, decimetres
    shadow_width: Array  # decimetres
    shadow_depth: Array  # share of the light that is taken away, 0 where there is no shadow
    gloss: Array  # strength of the highlight
    gloss_exponent: Array
    grain_scale: Array
    contrast: Array  # of pores and freckles
    noise: Array  # their noise field
    forehead_lines: Array  # how far they tip normals
    forehead_spacing: Array  # decimetres from line to line
    wrinkle_phase: Array  # radians
    crows_feet: Array  # how far they tip normals
    folds: Array  # likewise, from nose to mouth
    scatter: Array  # share of the light that goes through the skin


@dataclass(frozen=True)
class Background:
    """Backgrounds of B pictures: four corner colours and a noise field."""

    corners: Array  # (B, 2, 2, 3) sRGB
    noise: Array  # (B,) which field
    amount: Array  # (B, 3) of it, in red, green and blue
    zoom: Array  # (B,) its pixels in one of the picture
    offset: Array  # (B, 2) column and row where it starts


@dataclass(frozen=True)
class Scenes:
    """B photos to be drawn."""

    people: People
    standpoints: Standpoints
    lighting: Array  # (B, 27) coefficients
    key: Array  # (B, 3) unit vectors toward the brightest lamps
    skin: Skin
    eyes: Eyes
    hair: Hair
    glasses: Glasses
    background: Background
    behind: Things
    occluders: Things
    film: Film


class Director:
    """Draws scenes with heads of one face model; the same random generator gives the same scenes."""

    def __init__(self, model: FaceModel, lowest: int, noises: int) -> None:
        """`lowest` is the vertex at the bottom of the neck, `noises` the number of noise fields."""
        self._names, self._noises = model.expression_names, noises
        self._mean, self._identity, self._expression = (
            _few_points(model, basis.reshape(len(basis), -1, 3), lowest)
            for basis in (model.mean_shape[None], model.identity_basis, model.expression_basis)
        )

    def random_scenes(self, rng: np.random.Generator, count: int) -> Scenes:
        """Draw `count` scenes."""
        return self._scenes(rng, random_people(rng, count, self._names))

    def scenes_of_one(self, rng: np.random.Generator, count: int) -> Scenes:
        """Draw one person in `count` scenes: identity and albedo stay, everything else changes."""
        people = random_people(rng, count, self._names)
        identity, albedo = (np.repeat(field[:1], count, axis=0) for field in (people.identity, people.albedo))
        return self._scenes(rng, replace(people, identity=identity, albedo=albedo))

    def _scenes(self, rng: np.random.Generator, people: People) -> Scenes:
        count = len(people.identity)
        points = self._points(people)
        landmarks, neck = points[:, :68], points[:, 68:]
        standpoints = random_standpoints(rng, five_points(landmarks))
        lighting, key = random_lighting(rng, count)
        scenes = Scenes(
            people=people,
            standpoints=standpoints,
            lighting=lighting,
            key=key,
            skin=_random_skin(rng, dict(zip(self._names, people.expression.T))),
            eyes=random_eyes(rng, count),
            hair=random_hair(rng, count),
            glasses=random_glasses(rng, landmarks),
            background=_random_background(rng, count, self._noises),
            behind=random_things_behind(rng, standpoints.see(neck)[0][:, 0]),
            occluders=random_occluders(rng, standpoints.pixels_per_dm),
            film=random_film(rng, count, FINE_NOISES),
        )
        return each_array(scenes, single_precision)

    def _points(self, people: People) -> np.ndarray:
        """The 68 landmarks and the bottom of the neck, (B, 69, 3) decimetres in head space."""
        identity = np.tensordot(people.identity, self._identity, axes=1)
        return self._mean + identity + np.tensordot(people.expression, self._expression, axes=1)


def each_array(record: T, change: Callable[[Any], Any]) -> T:
    """A dataclass of arrays, and of such dataclasses, with every array changed."""
    values: dict[str, Any] = {}
    for field in fields(record):  # pyright: ignore[reportArgumentType]
        value = getattr(record, field.name)
        if is_dataclass(value):
            value = each_array(value, change)
        elif isinstance(value, np.ndarray):
            value = change(value)
        values[field.name] = value
    return type(record)(**values)


def single_precision(array: np.ndarray) -> np.ndarray:
    """Float64 arrays as float32."""
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _few_points(model: FaceModel, fields: np.ndarray, lowest: int) -> np.ndarray:
    """Fields (K, V, 3) at the 68 landmarks and one vertex: (K, 69, 3)."""
    return np.concatenate([model.landmarks(fields), fields[:, [lowest]]], axis=1)


def _random_skin(rng: np.random.Generator, weight: dict[str, np.ndarray]) -> Skin:
    """Draw the skin of people whose expressions have these weights (B,), by name: faces that move have more lines."""
    smile, squint, raised = weight["mouthSmile_L"], weight["cheekSquint_L"], weight["browInnerUp_L"]
    count = len(smile)
    age = rng.beta(1.2, 2.5, count)
    direction = rng.normal(size=(count, 3))
    return Skin(
        beard=rng.uniform(0.2, 1.0, count) * (rng.random(count) < 0.25),
        scalp=rng.random(count),
        occlusion=rng.uniform(0.4, 1.2, count),
        shadow_direction=direction / np.linalg.norm(direction, axis=1, keepdims=True),
        shadow_start=rng.normal(0, 0.5, count),
        shadow_width=rng.uniform(0.02, 0.3, count),
        shadow_depth=rng.uniform(0.2, 0.7, count) * (rng.random(count) < 0.3),
        gloss=rng.gamma(1.5, 0.06, count),
        gloss_exponent=rng.uniform(6, 40, count),
        grain_scale=rng.uniform(0.5, 3, count),
        contrast=rng.gamma(2.0, 0.02, count),
        noise=rng.integers(0, FINE_NOISES, count),
        forehead_lines=0.35 * age * rng.random(count) + 0.3 * raised * rng.random(count),
        forehead_spacing=rng.uniform(0.07, 0.13, count),
        wrinkle_phase=rng.uniform(0, 2 * np.pi, count),
        crows_feet=0.4 * age * rng.random(count) + 0.5 * squint * rng.random(count),
        folds=0.7 * age * rng.random(count) + 0.6 * smile * rng.random(count),
        scatter=rng.uniform(0, 1, count),
    )


def _random_background(rng: np.random.Generator, count: int, noises: int) -> Background:
    base = rng.uniform(0.05, 0.95, (count, 1)) + rng.normal(0, 0.12, (count, 3))
    spread = rng.uniform(0, 0.25, (count, 1, 1, 1))
    corners = rng.normal(size=(count, 2, 2, 1)) * spread + rng.normal(0, 0.05, (count, 2, 2, 3))
    return Background(
        corners=base[:, None, None] + corners,
        noise=rng.integers(0, noises, count),
        amount=rng.gamma(1.0, 0.08, (count, 1)) * (1 + rng.normal(0, 0.3, (count, 3))),
        zoom=np.exp(rng.uniform(-3.5, 0, count)),
        offset=rng.uniform(0, NOISE_SIZE, (count, 2)),
    )
