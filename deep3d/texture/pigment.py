"""Stage II: what a photo shows beyond light and statistics, told apart into pigment and wrong light.

In logarithms light, melanin and blood add up, each along an axis of its own (Tsumura et al., "Image-based skin color
and texture analysis/synthesis by extracting hemoglobin and melanin information", 2003). A Wiener filter in each of
three bands of size says how much of a difference is pigment: wrong light is grey and large, freckles are brown and
small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from deep3d.face_model import FaceModel
from deep3d.texture.fill import smooth

MELANIN = np.array([0.39, 0.59, 1.0])
"""Absorption at 615, 545 and 465 nm, relative: wave length to the power of -3.33 (Jacques, 1998)."""
BLOOD = np.array([0.05, 1.0, 0.74])
WARM = np.array([1.0, 0.0, -1.4]) / 1.72  # how the hue of light differs from place to place


@dataclass(frozen=True)
class Band:
    """Standard deviations, as logarithms, of what differs at one size."""

    rounds: int  # of means over neighbours that take it away, about its square in edges
    pigment: float  # along melanin and along blood
    other: float  # of all channels alike: hair, make-up
    light: float  # grey, that light, shadow and shape have wrong
    hue: float  # of that light
    noise: float  # of each channel

    def albedo_in(self, difference: np.ndarray, times: np.ndarray) -> np.ndarray:
        """What of differences (..., 3) is albedo, where `times` (...) as much of the light is wrong as usual.

        The filters of all `times` have common axes: the generalized eigenvectors of what is wrong and what is not.
        """
        albedo = self.pigment**2 * (np.outer(MELANIN, MELANIN) + np.outer(BLOOD, BLOOD)) + self.other**2
        wrong = self.light**2 + self.hue**2 * np.outer(WARM, WARM)
        size, axes = eigh(wrong, albedo + self.noise**2 * np.eye(3))
        parts = difference @ axes.astype(np.float32)
        parts /= 1 + np.square(times, dtype=np.float32)[..., None] * size.astype(np.float32)
        return parts @ (albedo @ axes).T.astype(np.float32)


COARSE = Band(rounds=30, pigment=0.05, other=0.02, light=0.25, hue=0.05, noise=0.02)
MIDDLE = Band(rounds=5, pigment=0.06, other=0.04, light=0.20, hue=0.03, noise=0.02)
FINE = Band(rounds=0, pigment=0.10, other=0.08, light=0.10, hue=0.02, noise=0.02)
"""Chosen on made-up heads (`synthetic.lit_heads`)."""
DOUBT = 4.0  # how many times as much of the light is wrong at the edges of shadows
HAIRY = 3.0  # times as large where features lie: brows, lips, lids
LARGEST, LARGEST_OFF_SKIN = 0.7, 3.0  # of a logarithm


def times_wrong(doubt: np.ndarray, grazing: np.ndarray | float, features: np.ndarray) -> np.ndarray:
    """How many times as much of the light is wrong as usual (V,), by what `pigment` takes."""
    return (1 + (DOUBT - 1) * doubt) * grazing / (1 + (HAIRY - 1) * features)


def smoothed(values: np.ndarray, weight: np.ndarray, neighbours: np.ndarray, rounds: int) -> np.ndarray:
    """Means (V, 3) over the mesh of values (V, 3) by weights (V,), of ever more neighbours; 0 where none is known."""
    known = np.repeat(weight[:, None], 3, axis=1).astype(np.float32)
    total = (values * known).astype(np.float32)
    ones = np.ones(len(values), np.float32)
    for _ in range(rounds):
        total, known = smooth(total, ones, neighbours), smooth(known, ones, neighbours)
    return total / np.maximum(known, 1e-3)


def pigment(
    difference: np.ndarray,
    weight: np.ndarray,
    doubt: np.ndarray,
    grazing: np.ndarray,
    features: np.ndarray,
    skin: np.ndarray,
    off_skin: np.ndarray,
    mirror: np.ndarray,
    neighbours: np.ndarray,
) -> np.ndarray:
    """The part (V, 3) of a difference of logarithms (V, 3) that is albedo, coarse and middle sizes.

    `weight` (V,) says how surely each is known, `doubt` (V,) in [0, 1] how unsure its light is, `grazing` (V,) how far
    relief shows in it, `features` (V,) in [0, 1] where brows and lips lie. Off the `skin` (V,), on hair and eyes,
    albedo has any hue, and standard deviations `off_skin` (V,) at each size. What is hidden comes from the other side.
    """
    largest = LARGEST + (LARGEST_OFF_SKIN - LARGEST) * (1 - skin[:, None])
    difference = np.clip(difference, -largest, largest)
    sure = weight * (1 - 0.9 * doubt)
    both = np.maximum(sure, 0.5 * sure[mirror])
    seen = sure[:, None] * difference + np.maximum(both - sure, 0)[:, None] * difference[mirror]
    known = np.maximum(sure, np.maximum(both, 1e-6))
    values = seen / known[:, None]
    coarse = smoothed(values, both, neighbours, COARSE.rounds)
    middle = smoothed(values, both, neighbours, MIDDLE.rounds) - coarse
    fine = np.where(both[:, None] > 0.05, values - coarse - middle, 0)
    total = np.zeros_like(values)
    large, small = times_wrong(doubt, 1, features), times_wrong(doubt, grazing, features)
    for band, part, times in ((COARSE, coarse, large), (MIDDLE, middle, small), (FINE, fine, small)):
        kept = part / (1 + (band.light * times / off_skin) ** 2)[:, None]
        total += kept + skin[:, None] * (band.albedo_in(part, times) - kept)
    return (total * np.clip(both * 4, 0, 1)[:, None]).astype(np.float32)


def features(model: FaceModel) -> np.ndarray:
    """Where brows, lids and lips lie on the skin (V,) in [0, 1]: the statistics' spread beyond that of bare skin."""
    mean = np.clip(model.mean_albedo, 0.041, 1)
    of_logs = 2.4 / (mean + 0.055)  # how fast the logarithm of linear light grows with its code in sRGB
    spread = (model.albedo_components.basis.reshape(-1, *mean.shape) * of_logs).std(axis=0).mean(axis=1)
    usual = max(float(np.median(spread[model.skin > 0.9])), 1e-6)
    return (np.clip((spread / usual - 1.15) / 0.6, 0, 1) * model.skin).astype(np.float32)
