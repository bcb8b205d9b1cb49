"""Random skin, eyes and mouths at the vertices of heads, and pictures of what is finer than those."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from parts import eyeballs
from scipy.ndimage import gaussian_filter
from studio import Skin

from deep3d.face_model import FaceModel
from deep3d.synthetic.people.anatomy import Anatomy
from deep3d.synthetic.scenes import Scenes
from deep3d.synthetic.scenes import Skin as SkinLook
from deep3d.synthetic.skin_maps import TONES, linear_of_lab, oiliness

DETAILS, DETAIL_SIZE = 6, 512  # pictures of fine detail that heads share, and texels a side
LIGHTNESS = (24.0, 76.0)  # CIELAB L* of skin
MELANIN, BLOOD = np.array([0.30, 0.55, 0.90]), np.array([0.12, 0.75, 0.60])  # what absorbs, in red, green, blue
EYE_GLOSS, MOUTH_GLOSS = (0.5, 0.06, 0.0), (0.5, 0.3, 0.0)  # as Skin.gloss
PORES = 0.0025  # decimetres that they are deep, about
IRIS = 0.062  # decimetres, its radius
IRIS_FACTORS = np.array(  # of the model's brown: brown, dark, hazel, green, blue, grey
    [[1, 1, 1], [0.7, 0.6, 0.4], [1.6, 1.5, 1.1], [1.1, 1.6, 1.2], [0.9, 1.5, 2.4], [1.3, 1.7, 2.1]]
)


class Complexion:
    """Gives heads of one face model their skin, eyes and mouth."""

    def __init__(self, model: FaceModel) -> None:
        self._model, self._anatomy = model, Anatomy.of(model)
        self._eyes = np.zeros(len(model.mean_shape), bool)
        self._eyes[np.concatenate(eyeballs(model))] = True
        self._points = model.landmarks(model.mean_shape[None])[0]

    def draw(self, rng: np.random.Generator, scene: Scenes, placed: np.ndarray) -> Skin:
        """The head of a scene of one, at vertices (V, 3) with the camera's axes."""
        model, anatomy, look = self._model, self._anatomy, scene.skin
        lightness = rng.uniform(*LIGHTNESS)
        tone = np.array([np.interp(lightness, TONES[::-1, 0], TONES[::-1, k]) for k in range(3)])
        tone = linear_of_lab(tone + [0, *rng.normal(0, 2, 2)])
        features = np.clip(model.albedo(scene.people.albedo)[0], 0.02, 1) ** 2.2
        cheek = np.median(features[anatomy.beard + (model.skin < 0.9) < 0.05], axis=0)
        ratio = np.clip(features / cheek, 0.03, 1.6) ** rng.uniform(0.7, 1.1)
        inner = (model.skin < 0.3) & (np.abs(model.mean_shape[:, 0]) < 0.5) & (model.mean_shape[:, 2] > -0.55)
        pigment = MELANIN * (0.10 * self._field(rng, 0.35) + 0.08 * self._field(rng, 0.12))[:, None]
        pigment = pigment + BLOOD * (0.09 * self._field(rng, 0.25) + 0.08 * self._field(rng, 0.1))[:, None]
        skin = tone * ratio * np.exp(-pigment)
        grown = np.maximum(look.beard * anatomy.beard * 0.8, look.scalp * anatomy.scalp)[:, None]
        stubble = np.clip(scene.hair.hair_colour[0], 0.02, 1) ** 2.2 * 0.5 + 0.25 * skin
        skin = skin + grown * (stubble - skin)
        albedo = np.where((inner | self._eyes)[:, None], features, skin)
        albedo = np.where(self._eyes[:, None], albedo * self._iris(rng), albedo)
        oily = oiliness(rng, model.mean_shape, self._points, spread=0.4, lips=(1.2, 0.5)) + rng.normal(0, 0.5)
        gloss = np.stack(
            [
                0.22 * np.exp(0.35 * oily + 0.2 * self._field(rng, 0.3)),
                np.clip(rng.normal(0.5, 0.05) - 0.08 * oily + 0.03 * self._field(rng, 0.3), 0.28, 0.8),
                np.ones(len(oily)),
            ],
            axis=1,
        )
        gloss = np.where(inner[:, None], MOUTH_GLOSS, gloss)
        gloss = np.where(self._eyes[:, None], EYE_GLOSS, gloss)
        return Skin(placed, np.clip(albedo, 0.003, 0.9), gloss, self._wrinkles(look), int(rng.integers(DETAILS)))

    def _field(self, rng: np.random.Generator, size: float) -> np.ndarray:
        """A smooth random field (V,) of unit variance with features of this size in decimetres."""
        waves, phase = rng.normal(0, 1 / size, (3, 24)), rng.uniform(0, 6.3, 24)
        return np.cos(self._model.mean_shape @ waves + phase).sum(axis=1) / np.sqrt(12)

    def _iris(self, rng: np.random.Generator) -> np.ndarray:
        """Factors (V, 3) of the colours of eyes: brown as the model's, hazel, green, blue or grey."""
        wanted = IRIS_FACTORS[rng.integers(len(IRIS_FACTORS))] * np.exp(rng.normal(0, 0.15))
        mean = self._model.mean_shape
        aside = np.min([np.linalg.norm(mean[:, :2] - mean[v, :2], axis=1) for v in self._anatomy.irises], axis=0)
        white = 1 - rng.uniform(0, 0.2) * np.array([0.3, 0.8, 1])
        return np.where((aside < IRIS)[:, None], wanted, white)

    def _wrinkles(self, look: SkinLook) -> np.ndarray:
        """Heights (V,) in decimetres of the lines whose slopes `complexion.wrinkled` has."""
        anatomy, mean = self._anatomy, self._model.mean_shape
        spacing, phase = float(look.forehead_spacing[0]), float(look.wrinkle_phase[0])
        wave = np.cos(2 * np.pi * mean[:, 1] / spacing + phase + 0.5 * np.sin(7 * mean[:, 0] + 2 * phase))
        forehead = look.forehead_lines[0] * anatomy.forehead * wave * spacing / (2 * np.pi)
        rays = np.cos(15 * anatomy.corner_angle + phase)
        return 0.7 * forehead + 0.5 * look.crows_feet[0] * anatomy.crows_feet * rays * 0.15 / 15


def fine_details(rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Pictures (S, S, 2) of pigment's factor and of heights in decimetres, over the model's UVs."""
    for _ in range(DETAILS):
        size = (DETAIL_SIZE, DETAIL_SIZE)
        fine = gaussian_filter(rng.normal(size=size), 0.8) / 0.35
        pores = gaussian_filter(np.clip(rng.normal(size=size) - 1.5, 0, None), 0.9)
        spots = np.zeros(size)
        for count, width in ((int(rng.integers(0, 500) * rng.choice([0, 1])), 0.6), (int(rng.integers(3, 25)), 1.2)):
            rows, columns = rng.integers(0, DETAIL_SIZE, (2, count))
            seeds = np.zeros(size)
            seeds[rows, columns] = rng.uniform(0.3, 1, count)
            spots += gaussian_filter(seeds, width) * 2 * np.pi * width**2
        pigment = np.exp(-0.04 * fine - 0.9 * np.clip(spots, 0, 1))
        height = PORES * rng.uniform(0.4, 1.2) * (0.25 * gaussian_filter(rng.normal(size=size), 1.2) * 4 - 3 * pores)
        yield np.stack([pigment, height], axis=2)
