"""Real portraits with 68 landmarks, cropped like by detector and alignment, for fine-tuning."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image

from deep3d.alignment import align
from deep3d.datasets.frozen import PortraitSet, read_portraits
from deep3d.errors import DatasetError
from deep3d.landmarks import MIRROR, five_points
from deep3d.photo import read_photo

CHOOSING = 16  # portraits whose number is a multiple of this are not used for training


def training_portraits(folder: Path) -> PortraitSet:
    """The tuning half of a folder with `photos/` and `landmarks.npz`, without the multiples of 16.

    Those are for choosing between variants, and the other half is for reporting.

    Raises: DatasetError if the folder or anything in it is missing.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: not a folder of portraits; name one, or remove it from the configuration")
    known = read_portraits(folder, "tune")
    rows = [row for row, photo in enumerate(known.photos) if _number(photo) % CHOOSING]
    if not rows:
        raise DatasetError(f"{folder}: only portraits for choosing; copy the data set again")
    return PortraitSet(tuple(known.photos[row] for row in rows), known.landmarks[rows])


class Portraits:
    """The training portraits of a folder, in memory.

    Raises: DatasetError; PhotoError if a photo cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        known = training_portraits(folder)
        self.names = tuple(photo.name for photo in known.photos)
        self._photos = [read_photo(photo).pixels for photo in known.photos]
        self._landmarks = known.landmarks

    def batch(self, rng: np.random.Generator, count: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Crops (count, size, size, 3) uint8 and their landmarks (count, 68, 2) in pixels of the 224 crop."""
        crops, landmarks = zip(*(self._crop(rng, k, size) for k in rng.integers(0, len(self._photos), count)))
        return np.stack(crops), np.stack(landmarks).astype(np.float32)

    def _crop(self, rng: np.random.Generator, index: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """One portrait, aligned by noisy points, mirrored half the time, with changed exposure and sharpness."""
        photo, points = self._photos[index], self._landmarks[index]
        if rng.random() < 0.5:
            photo, points = photo[:, ::-1], mirrored_landmarks(points, photo.shape[1])
        five = five_points(points)
        face = np.linalg.norm(np.ptp(five, axis=0))
        aligned = align(np.ascontiguousarray(photo), five + rng.normal(0, rng.choice([0.008, 0.03]) * face, (5, 2)))
        picture = Image.fromarray(aligned.image)
        if rng.random() < 0.4:
            small = int(224 * rng.uniform(0.3, 0.8))
            picture = picture.resize((small, small), Image.Resampling.BILINEAR)
        picture = picture.resize(
            (size, size), Image.Resampling.BOX if picture.width >= size else Image.Resampling.BICUBIC
        )
        values = np.asarray(picture, np.float32) * np.exp(rng.normal(0, [0.05] * 3)) * np.exp(rng.normal(0, 0.2))
        if rng.random() < 0.15:
            values = values.mean(axis=-1, keepdims=True).repeat(3, axis=-1)
        values += rng.normal(0, rng.gamma(1.0, 2.0), values.shape)
        return np.clip(values, 0, 255).astype(np.uint8), aligned.to_crop(points)


def mirrored_landmarks(points: np.ndarray, width: int) -> np.ndarray:
    """Landmarks (68, 2) of the horizontally mirrored photo of this width."""
    return points[list(MIRROR)] * [-1, 1] + [width - 1, 0]


def _number(photo: Path) -> int:
    """The digits at the end of the name; `read_portraits` has checked them."""
    return int(re.findall(r"\d+", photo.stem)[-1])


def training_data(portraits: bool, traced: bool = False) -> str:
    """The description of the training data in a file of weights."""
    sources = ["synthetic heads of the face model's population"]
    if traced:
        sources.append("path-traced heads of the same population with shapes beyond the model")
    if portraits:
        sources.append("landmarks of the tuning half of a portrait set")
    return ", and ".join(sources)
