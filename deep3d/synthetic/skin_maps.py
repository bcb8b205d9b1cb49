"""Maps of made-up skin: albedo with pigment, freckles and moles; gloss by regions; pores. Not the face model's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from deep3d.face_model import FaceModel
from deep3d.synthetic.people.anatomy import Anatomy
from deep3d.texture import Atlas

SIZE = 512  # texels a side
TONES = np.array(  # CIELAB of facial skin, from very fair to very dark
    [[78, 6, 12], [70, 9, 15.5], [62, 10.5, 17.5], [52, 12, 18.5], [42, 11.5, 15.5], [32, 8.5, 10.5], [24, 6, 6.5]]
)
TONE_SPREAD = 2.0  # of a* and b*
_MELANIN, _BLOOD = np.array([0.30, 0.55, 0.90]), np.array([0.12, 0.75, 0.60])  # what absorbs, in red, green, blue
_FROM_XYZ = np.array([[3.2405, -1.5371, -0.4985], [-0.9693, 1.876, 0.0416], [0.0556, -0.204, 1.0572]])
_WHITE = np.array([0.95047, 1.0, 1.08883])


@dataclass(frozen=True)
class SkinMaps:
    """Maps (S, S, ...) in the UV atlas, row 0 at v = 1."""

    albedo: np.ndarray  # (S, S, 3) linear
    specular: np.ndarray  # (S, S) reflectance at normal incidence
    roughness: np.ndarray  # (S, S)
    relief: np.ndarray  # (S, S, 3) offset of the unit normal, head space

    @property
    def stacked(self) -> np.ndarray:
        """(S, S, 8) float32."""
        parts = [self.albedo, self.specular[..., None], self.roughness[..., None], self.relief]
        return np.concatenate(parts, axis=2).astype(np.float32)


class SkinPainter:
    """Paints maps for one face model."""

    def __init__(self, model: FaceModel) -> None:
        self._model = model
        self._atlas = Atlas.of(model, SIZE)
        self._anatomy = Anatomy.of(model)
        self._points = self._over_texels(model.mean_shape)
        self._skin = self._over_texels(model.skin[:, None])[..., 0]

    def draw(self, rng: np.random.Generator, pattern: np.ndarray, lightness: float) -> SkinMaps:
        """Maps of somebody with skin of this L*; features are those of albedo coefficients (1, 80)."""
        tone = linear_of_lab(_tone(rng, lightness))
        features = np.clip(self._model.albedo(pattern)[0], 0.02, 1) ** 2.2
        cheek = np.median(features[self._anatomy.beard + (self._model.skin < 0.9) < 0.05], axis=0)
        ratio = np.clip(features / cheek, 0.03, 1.6) ** rng.uniform(0.7, 1.1)
        albedo = self._over_texels(tone * np.where(self._model.skin[:, None] > 0.3, ratio, features / tone))
        pigment = _MELANIN * (0.10 * self._field(rng, 0.35) + 0.06 * self._field(rng, 0.12))[..., None]
        pigment = pigment + _BLOOD * (0.07 * self._field(rng, 0.25) + 0.05 * self._field(rng, 0.06))[..., None]
        spots = self._spots(rng)
        fine = 0.05 * gaussian_filter(rng.normal(size=(SIZE, SIZE)), 0.8) / 0.35
        pigment = pigment + _MELANIN * (1.2 * spots + fine)[..., None]
        albedo = np.clip(albedo * np.exp(-pigment * self._skin[..., None]), 0.003, 0.9)
        specular = 0.028 * np.exp(self._oily(rng) * 0.5 + 0.2 * self._field(rng, 0.3))
        rough = np.clip(0.52 - 0.09 * self._oily(rng) + 0.03 * self._field(rng, 0.3), 0.25, 0.8)
        relief = [gaussian_filter(rng.normal(size=(SIZE, SIZE)), 1.0) for _ in range(3)]
        relief = 0.12 * rng.uniform(0.3, 1) * np.stack(relief, axis=2)
        return SkinMaps(albedo, specular, rough, relief * self._skin[..., None])

    def _over_texels(self, values: np.ndarray) -> np.ndarray:
        """(S, S, C) of vertices' values (V, C)."""
        atlas, triangles = self._atlas, self._model.triangles
        weights = atlas.weights.astype(np.float32) / 65535
        corners = triangles[np.maximum(atlas.triangle, 0)]
        third = 1 - weights.sum(axis=2)
        image = sum(values[corners[..., k]] * w[..., None] for k, w in enumerate((*np.moveaxis(weights, 2, 0), third)))
        image = np.ascontiguousarray(image, np.float32)
        for channel in range(image.shape[2]):
            plane = np.ascontiguousarray(image[..., channel])
            atlas.close_gaps(plane)
            image[..., channel] = plane
        return image

    def _field(self, rng: np.random.Generator, size: float) -> np.ndarray:
        """A smooth random field (S, S) of unit variance with features of this size in decimetres, seamless."""
        waves = rng.normal(0, 1 / size, (3, 24)).astype(np.float32)
        phase = self._model.mean_shape @ waves + rng.uniform(0, 6.3, 24).astype(np.float32)
        return self._over_texels(np.cos(phase).sum(axis=1, keepdims=True) / np.sqrt(12))[..., 0]

    def _spots(self, rng: np.random.Generator) -> np.ndarray:
        """Freckles of some people, and a few moles: (S, S) in [0, 1]."""
        seeds = np.zeros((SIZE, SIZE))
        freckles = rng.integers(0, 400) * (rng.random() < 0.3)
        for count, size in ((freckles, 0.5), (rng.integers(0, 15), 1.0)):
            rows, columns = rng.integers(0, SIZE, (2, count))
            spots = np.zeros((SIZE, SIZE))
            spots[rows, columns] = 1
            seeds += gaussian_filter(spots, 1.2 * size) * (2 * np.pi * (1.2 * size) ** 2)
        return np.clip(seeds, 0, 1)

    def _oily(self, rng: np.random.Generator) -> np.ndarray:
        landmarks = self._model.landmarks(self._model.mean_shape[None])[0]
        return oiliness(rng, self._points, landmarks, spread=0.3, lips=(0.9, 0.4))


def oiliness(
    rng: np.random.Generator, points: np.ndarray, landmarks: np.ndarray, spread: float, lips: tuple[float, float]
) -> np.ndarray:
    """How oily the skin is at points (..., 3): forehead, nose, chin and lips more than cheeks, each person otherwise.

    `landmarks` (68, 3) are those of the same head, `spread` is people's standard deviation, and `lips` mean and
    standard deviation there.
    """
    spots = [
        (landmarks[27] + [0, 0.35, 0], 0.35, rng.normal(0.8, spread)),
        (landmarks[30], 0.2, rng.normal(1.3, spread)),
        (landmarks[8] + [0, 0.15, 0], 0.2, rng.normal(0.5, spread)),
        (landmarks[48:60].mean(axis=0), 0.2, rng.normal(*lips)),
        (landmarks[[2, 3, 31]].mean(axis=0), 0.3, rng.normal(-0.4, spread)),
        (landmarks[[14, 13, 35]].mean(axis=0), 0.3, rng.normal(-0.4, spread)),
    ]
    blobs = [amount * np.exp(-(((points - centre) / size) ** 2).sum(axis=-1)) for centre, size, amount in spots]
    return np.sum(blobs, axis=0)


def linear_of_lab(lab: np.ndarray) -> np.ndarray:
    """Linear RGB (3,) of CIELAB under D65."""
    y = (lab[0] + 16) / 116
    f = np.array([y + lab[1] / 500, y, y - lab[2] / 200])
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * _WHITE
    return np.clip(_FROM_XYZ @ xyz, 0.004, 1)


def _tone(rng: np.random.Generator, lightness: float) -> np.ndarray:
    order = np.argsort(TONES[:, 0])
    a, b = (np.interp(lightness, TONES[order, 0], TONES[order, k]) for k in (1, 2))
    return np.array([lightness, a + rng.normal(0, TONE_SPREAD), b + rng.normal(0, TONE_SPREAD)])
