"""What is round a head in a photo, and before it: background, clothes, hands and other things in the way."""

from __future__ import annotations

import numpy as np

from deep3d.camera import CROP_SIZE
from deep3d.training.painting import NOISE_SIZE, fill_background, fill_polygon


class Surroundings:
    """Paints with one random generator and one stock of noise fields (K, N, N), from fine to coarse."""

    def __init__(self, rng: np.random.Generator, noise: np.ndarray) -> None:
        self._rng, self._noise = rng, noise

    def background(self) -> np.ndarray:
        """A new picture (224, 224, 3) float32: soft colours, noise, a few things standing about."""
        rng = self._rng
        picture = np.empty((CROP_SIZE, CROP_SIZE, 3), np.float32)
        base = rng.uniform(0.05, 0.95) + rng.normal(0, 0.12, 3)
        corners = base + rng.normal(0, rng.uniform(0, 0.25), (2, 2, 1)) + rng.normal(0, 0.05, (2, 2, 3))
        amount = rng.gamma(1.0, 0.08) * (1 + rng.normal(0, 0.3, 3))
        zoom, offset = np.exp(rng.uniform(-3.5, 0)), rng.uniform(0, NOISE_SIZE, 2)
        fill_background(picture, corners, self._any_noise(), zoom, amount, offset)
        for _ in range(rng.poisson(2.0)):
            self._patch(picture, rng.uniform(-40, 264, 2), rng.uniform(10, 120), any_colour(rng))
        return picture

    def clothes(self, picture: np.ndarray, neck: np.ndarray) -> None:
        """Shoulders and a collar below the neck, whose lower end is at (2,) pixels."""
        rng = self._rng
        x, top = neck[0], neck[1] - rng.uniform(-5, 30)
        wide, slope = rng.uniform(80, 200), rng.uniform(5, 45)
        xs = x + np.array([-wide, -wide * 0.8, -28, 28, wide * 0.8, wide])
        ys = np.array([400, top + slope, top, top, top + slope, 400])
        self._fill(picture, np.stack([xs, ys], axis=1), any_colour(rng))
        if rng.random() < 0.5:  # an open collar or a tie
            half = rng.uniform(8, 40)
            collar = np.array([[x - half, top], [x + half, top], [x, top + rng.uniform(20, 120)]])
            self._fill(picture, collar, any_colour(rng))

    def obstacle(self, picture: np.ndarray) -> None:
        """A hand, a microphone, a phone, another person: one or two patches somewhere on the face."""
        rng = self._rng
        skin_like = rng.random() < 0.5
        colour = rng.uniform([0.3, 0.2, 0.15], [0.95, 0.75, 0.65]) if skin_like else any_colour(rng)
        for _ in range(rng.integers(1, 3)):
            self._patch(picture, rng.uniform(20, 204, 2), rng.uniform(12, 55), colour)

    def _patch(self, picture: np.ndarray, middle: np.ndarray, radius: float, colour: np.ndarray) -> None:
        """One random blob or polygon."""
        rng = self._rng
        corners = rng.integers(3, 12)
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners)) if corners < 7 else np.linspace(0, 6.2, corners)
        reach = radius * rng.uniform(0.5, 1.2, corners)
        outline = np.stack([np.cos(angle), np.sin(angle)], axis=1) * reach[:, None] * rng.uniform(0.4, 1.6, 2)
        self._fill(picture, middle + outline, colour)

    def _fill(self, picture: np.ndarray, polygon: np.ndarray, colour: np.ndarray) -> None:
        fill_polygon(picture, polygon, colour, 1.0, self._rng.normal(0, 0.2, 2), self._any_noise())

    def _any_noise(self) -> np.ndarray:
        return self._noise[self._rng.integers(len(self._noise))]


def any_colour(rng: np.random.Generator) -> np.ndarray:
    """(3,) sRGB: mostly muted, sometimes bright."""
    return np.clip(rng.uniform(0, 1) + rng.normal(0, rng.choice([0.03, 0.12, 0.35]), 3), 0, 1)
