"""Measures predictors on benchmarks: a table of the report for each benchmark, a row for each predictor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from deep3d.errors import DatasetError
from deep3d.evaluation.measurement import Benchmark, FacePredictor
from deep3d.evaluation.report import Report, Table, describe_machine, utc_now

StageProgress = Callable[[str, int, int], None]
"""Called with the name of the measurement, the number of finished photos and the total."""


def run_evaluation(
    benchmarks: Sequence[Benchmark], predictors: Sequence[FacePredictor], progress: StageProgress | None = None
) -> Report:
    """Measure every predictor on every benchmark.

    Raises: DatasetError if a set is damaged, or none is given.
    """
    if not benchmarks:
        raise DatasetError("evaluation: no data set given; name a folder of portraits, of heads, or another one")
    return Report(
        tuple(_measure(benchmark, predictors, progress) for benchmark in benchmarks), describe_machine(), utc_now()
    )


def _measure(benchmark: Benchmark, predictors: Sequence[FacePredictor], progress: StageProgress | None) -> Table:
    measured = {
        predictor.name: benchmark.measure(
            predictor, None if progress is None else partial(progress, f"{predictor.name}, {benchmark.name}")
        )
        for predictor in predictors
    }
    return Table(benchmark, {name: errors for name, errors in measured.items() if errors is not None})
