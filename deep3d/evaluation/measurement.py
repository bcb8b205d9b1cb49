"""What is measured: a benchmark is a data set with its way of measuring, a measurement one predictor's errors on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from deep3d.evaluation.statistics import Ratio, Summary, summarize, worst_over_best
from deep3d.landmarks import Placement

Progress = Callable[[int, int], None]
"""Called with the number of photos done and the number of all."""

Groups = dict[str, dict[str, np.ndarray]]
"""By what N photos are grouped, and then for each group which of them it holds: (N,) bool."""


@dataclass(frozen=True)
class PredictedLandmarks:
    """What is predicted for one photo in which a face was found."""

    landmarks: np.ndarray  # (68, 2) photo pixels, fixed points of the surface
    yaw: float | None = None  # degrees, where known
    contour: np.ndarray | None = None  # (68, 2) with the jaw on the visible outline, where that is known to differ
    mediapipe: np.ndarray | None = None  # (68, 2) where MediaPipe has them, where that is known to differ

    def placed(self, placement: Placement) -> np.ndarray:
        """The (68, 2) landmarks as a data set has them."""
        other = {"fixed": None, "contour": self.contour, "mediapipe": self.mediapipe}[placement]
        return self.landmarks if other is None else other


@dataclass(frozen=True)
class PredictedMesh:
    """The shape that is predicted for one face."""

    vertices_mm: np.ndarray  # (V, 3) millimetres, in any pose
    triangles: np.ndarray  # (T, 3) vertex numbers
    landmark_vertices: np.ndarray  # (68,) vertex numbers
    neutral_mm: np.ndarray | None = None  # (V, 3) the same person without expression, where that is known

    @property
    def neutral(self) -> PredictedMesh:
        """The mesh without expression: what scans of faces at rest are compared with."""
        vertices = self.vertices_mm if self.neutral_mm is None else self.neutral_mm
        return PredictedMesh(vertices, self.triangles, self.landmark_vertices, vertices)


class FacePredictor(Protocol):
    """Whatever can be a row of a report. Results come one per photo and in order, None where no face is found.

    Lazy ones let progress be seen.
    """

    @property
    def name(self) -> str:
        """What the row is called: the checkpoint's name, and the fit if there is one."""
        ...

    def predict_landmarks(self, photos: Sequence[Path]) -> Iterable[PredictedLandmarks | None]:
        """The 68 landmarks of the largest face of each photo, and its yaw."""
        ...

    def predict_meshes(self, photos: Sequence[Path]) -> Iterable[PredictedMesh | None]:
        """The mesh of the largest face of each photo, as its exported OBJ file has it."""
        ...

    def predict_person(self, photos: Sequence[Path]) -> PredictedMesh | None:
        """The one face that several photos of a person show, without expression."""
        ...


@dataclass(frozen=True)
class Measurement:
    """Errors of N photos, NaN where no face was found."""

    photos: tuple[Path, ...]  # N
    errors: dict[str, np.ndarray]  # (N,) by measure; the first one ranks the photos
    groups: Groups = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)  # of all photos together, by name

    @property
    def main(self) -> np.ndarray:
        """(N,) the first measure."""
        return next(iter(self.errors.values()))

    def summaries(self) -> dict[str, Summary]:
        """Summary of each measure."""
        return {name: summarize(values) for name, values in self.errors.items()}

    def by_group(self, kind: str) -> dict[str, Summary]:
        """Summary of the first measure over each group that holds photos."""
        return {name: summarize(self.main[inside]) for name, inside in self.groups[kind].items() if inside.any()}

    def ratio(self, kind: str) -> Ratio | None:
        """How far apart the groups' means of the first measure are; None where fewer than two have faces."""
        return worst_over_best({name: self.main[inside] for name, inside in self.groups[kind].items()})


@dataclass(frozen=True)
class Benchmark:
    """A data set and how predictors are measured on it."""

    name: str  # short, the key in JSON
    caption: str  # what was measured, in what unit
    columns: tuple[tuple[str, str], ...]  # of the table: a measure, and a field of `Summary`
    measure: Callable[[FacePredictor, Progress | None], Measurement | None]
    """The errors of a predictor, None where it cannot be measured. Raises: DatasetError."""
    decimals: int = 2  # of the errors in tables


def bands(values: np.ndarray, edges: Sequence[float]) -> dict[str, np.ndarray]:
    """Groups of (N,) values between neighbouring edges, each in the band above it but for the last; NaN is in none."""
    last = edges[-1]
    return {
        f"{low:g}-{high:g}": (values >= low) & ((values < high) | ((high == last) & (values == last)))
        for low, high in pairwise(edges)
    }
