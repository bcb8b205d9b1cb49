"""Measures predictors on the frozen sets, a row of the report each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from deep3d.errors import DatasetError
from deep3d.evaluation.datasets import Half, HeadSet, PortraitSet, read_heads, read_portraits
from deep3d.evaluation.landmarks import PredictedLandmarks, Progress, evaluate_landmarks
from deep3d.evaluation.report import Report, ReportRow, describe_machine, utc_now
from deep3d.evaluation.scans import PredictedMesh, evaluate_scans

StageProgress = Callable[[str, int, int], None]
"""Called with what is being measured, the number of photos done and the number of all."""


class FacePredictor(Protocol):
    """Whatever can be a row of a report. Results come one per photo and in order, None where no face is found."""

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


def run_evaluation(
    portraits: Path | None,
    heads: Path | None,
    predictors: Sequence[FacePredictor],
    half: Half = "report",
    progress: StageProgress | None = None,
) -> Report:
    """Measure landmarks on one half of a folder of portraits, and meshes on a folder of heads; None leaves a set out.

    Raises: DatasetError if a set cannot be read, or none is given.
    """
    if portraits is None and heads is None:
        raise DatasetError("evaluation: no data set given; name a folder of portraits or of heads")
    portrait_set = None if portraits is None else read_portraits(portraits, half)
    head_set = None if heads is None else read_heads(heads)
    rows = tuple(_measure(predictor, portrait_set, head_set, progress) for predictor in predictors)
    return Report(rows, half, describe_machine(), utc_now())


def _measure(
    predictor: FacePredictor, portraits: PortraitSet | None, heads: HeadSet | None, progress: StageProgress | None
) -> ReportRow:
    def stage(name: str) -> Progress | None:
        return None if progress is None else partial(progress, f"{predictor.name}, {name}")

    return ReportRow(
        predictor.name,
        None if portraits is None else evaluate_landmarks(predictor.predict_landmarks, portraits, stage("portraits")),
        None if heads is None else evaluate_scans(predictor.predict_meshes, heads, stage("heads")),
    )
