"""A benchmark is a data set and a measure; a measurement is one predictor's errors on it."""

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
"""Called with the number of finished photos and the total."""

Groups = dict[str, dict[str, np.ndarray]]
"""Groups of N photos: by criterion and by name of the group, (N,) bool."""


@dataclass(frozen=True)
class PredictedLandmarks:
    """The prediction for one photo in which a face was found."""

    landmarks: np.ndarray  # (68, 2) photo pixels, fixed points of the surface
    yaw: float | None = None  # degrees, where known
    contour: np.ndarray | None = None  # (68, 2) with the jaw on the visible outline, where that is known to differ
    mediapipe: np.ndarray | None = None  # (68, 2) in MediaPipe's placement, where that is known to differ

    def placed(self, placement: Placement) -> np.ndarray:
        """The (68, 2) landmarks in the placement of a data set."""
        other = {"fixed": None, "contour": self.contour, "mediapipe": self.mediapipe}[placement]
        return self.landmarks if other is None else other


@dataclass(frozen=True)
class PredictedMesh:
    """The predicted shape of one face."""

    vertices_mm: np.ndarray  # (V, 3) millimetres, in any pose
    triangles: np.ndarray  # (T, 3) vertex numbers
    landmark_vertices: np.ndarray  # (68,) vertex numbers
    neutral_mm: np.ndarray | None = None  # (V, 3) the same person without expression, if known

    @property
    def neutral(self) -> PredictedMesh:
        """The mesh without expression, for comparison with neutral scans."""
        vertices = self.vertices_mm if self.neutral_mm is None else self.neutral_mm
        return PredictedMesh(vertices, self.triangles, self.landmark_vertices, vertices)


class FacePredictor(Protocol):
    """A row of a report. Yields one result per photo, in order, None where no face is found.

    Lazy iterators make progress visible.
    """

    @property
    def name(self) -> str:
        """The name of the row: the checkpoint's name, and the fit if there is one."""
        ...

    def predict_landmarks(self, photos: Sequence[Path]) -> Iterable[PredictedLandmarks | None]:
        """The 68 landmarks of the largest face of each photo, and its yaw."""
        ...

    def predict_meshes(self, photos: Sequence[Path]) -> Iterable[PredictedMesh | None]:
        """The mesh of the largest face of each photo, as its exported OBJ file has it."""
        ...

    def predict_person(self, photos: Sequence[Path]) -> PredictedMesh | None:
        """One face from several photos of a person, without expression."""
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
        """The groups' largest over smallest mean of the first measure; None if fewer than two have faces."""
        return worst_over_best({name: self.main[inside] for name, inside in self.groups[kind].items()})


@dataclass(frozen=True)
class Benchmark:
    """A data set and the measure for predictors."""

    name: str  # short, the key in JSON
    caption: str  # what was measured, in what unit
    columns: tuple[tuple[str, str], ...]  # of the table: a measure, and a field of `Summary`
    measure: Callable[[FacePredictor, Progress | None], Measurement | None]
    """The errors of a predictor, None where it cannot be measured. Raises: DatasetError."""
    decimals: int = 2  # of the errors in tables


def bands(values: np.ndarray, edges: Sequence[float]) -> dict[str, np.ndarray]:
    """Groups of (N,) values between neighbouring edges, with lower edges and the last upper one; NaN is in none."""
    last = edges[-1]
    return {
        f"{low:g}-{high:g}": (values >= low) & ((values < high) | ((high == last) & (values == last)))
        for low, high in pairwise(edges)
    }
