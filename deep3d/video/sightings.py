"""What the networks saw in a video: one row for each face of each frame, in arrays that a file can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from deep3d.alignment import AlignedCrop
from deep3d.coefficients import COEFFICIENT_COUNT, FaceCoefficients
from deep3d.files.whole_file import written_whole
from deep3d.video.people import looks_of, told_apart

_GEOMETRY = ("scale", "left", "up", "resized_width", "resized_height", "photo_width", "photo_height")
_NO_IMAGE = np.empty((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class Sightings:
    """R faces, in the order of their frames."""

    frame: np.ndarray  # (R,) int64, number of the frame
    person: np.ndarray  # (R,) int64, who it is, from 1
    crops: np.ndarray  # (R, 7) float64, where the crop lies in the frame: the fields of AlignedCrop from `scale` on
    vectors: np.ndarray  # (R, 257) float32, regressed coefficients
    points: np.ndarray  # (R, N, 2) float32 crop pixels of the dense landmarks
    deviation: np.ndarray  # (R, N) float32, which the networks expect, crop pixels
    error: np.ndarray  # (R,) float32, `Confidence.landmark_error`, percent

    @classmethod
    def none(cls, landmarks: int) -> Sightings:
        """No faces, of so many dense landmarks."""
        return cls(
            np.empty(0, np.int64),
            np.empty(0, np.int64),
            np.empty((0, len(_GEOMETRY))),
            np.empty((0, COEFFICIENT_COUNT), np.float32),
            np.empty((0, landmarks, 2), np.float32),
            np.empty((0, landmarks), np.float32),
            np.empty(0, np.float32),
        )

    @classmethod
    def joined(cls, parts: Sequence[Sightings]) -> Sightings:
        """All of several parts, at least one, in the order of frames and people."""
        whole = {each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)}
        return cls(**whole).chosen(np.lexsort([whole["person"], whole["frame"]]))

    def __len__(self) -> int:
        return len(self.frame)

    def chosen(self, rows: np.ndarray) -> Sightings:
        """Some rows, by numbers or by a mask."""
        return Sightings(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})

    def told_apart(self) -> Sightings:
        """All of a video with people named once more, by everything that is seen of each."""
        person = told_apart(self.frame, self.person, looks_of(self.vectors))
        return replace(self, person=person).chosen(np.lexsort([person, self.frame]))

    @property
    def coefficients(self) -> FaceCoefficients:
        """Regressed ones (B = R)."""
        return FaceCoefficients.from_vector(self.vectors)

    def crop(self, row: int) -> AlignedCrop:
        """Where the crop of a face lies, without its picture."""
        return crop_at(self.crops[row])

    def save(self, path: Path) -> None:
        """Write a file that `load` reads; it appears whole or not at all."""
        with written_whole(path) as partial, partial.open("wb") as file:
            np.savez(file, **{each.name: getattr(self, each.name) for each in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Sightings:
        """Raises: OSError, ValueError, KeyError if the file is not whole."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(**{each.name: stored[each.name] for each in fields(cls)})


def crop_geometry(crop: AlignedCrop) -> np.ndarray:
    """(7,) the numbers of `Sightings.crops`."""
    return np.array([getattr(crop, name) for name in _GEOMETRY], np.float64)


def crop_at(geometry: np.ndarray) -> AlignedCrop:
    """A crop without its picture, of the numbers (7,) that `crop_geometry` gives."""
    scale, left, up, *sizes = geometry.tolist()
    width, height, photo_width, photo_height = map(round, sizes)
    return AlignedCrop(
        image=_NO_IMAGE,
        five_points=np.zeros((5, 2)),
        trans_params=np.array([photo_width, photo_height, scale, 0, 0]),
        scale=scale,
        left=round(left),
        up=round(up),
        resized_width=width,
        resized_height=height,
        photo_width=photo_width,
        photo_height=photo_height,
    )
