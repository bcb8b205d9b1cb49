"""The result of an evaluation: one table per benchmark, as JSON and as Markdown, with machine and date."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from deep3d.evaluation.measurement import Benchmark, Measurement
from deep3d.evaluation.statistics import Ratio, Summary
from deep3d.runtime.cores import usable_cores

SCHEMA = "deep3d.evaluation/2"
PROCESSOR_INFORMATION = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Grid:
    """A table of formatted cells."""

    header: list[str]
    rows: list[list[str]]

    def to_markdown(self) -> str:
        """A table with columns of equal width."""
        lines = [self.header, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        padded = [[cell.rjust(width) for cell, width in zip(line, widths)] for line in lines]
        rule = ["-" * (width - 1) + ":" for width in widths]
        return "\n".join("| " + " | ".join(line) + " |" for line in [padded[0], rule, *padded[1:]])


@dataclass(frozen=True)
class Table:
    """The results of one benchmark."""

    benchmark: Benchmark
    rows: dict[str, Measurement]  # by name of the predictor

    def to_json(self) -> dict[str, Any]:
        """Summaries and per-photo errors; NaN becomes None."""
        rows = [{"name": name, **_measurement_json(measurement)} for name, measurement in self.rows.items()]
        return {"name": self.benchmark.name, "caption": self.benchmark.caption, "rows": rows}

    def to_markdown(self) -> str:
        """Caption, errors, errors by group, and figures of all photos together."""
        return "\n\n".join([self.benchmark.caption, *(grid.to_markdown() for grid in self.grids())])

    def grids(self) -> list[Grid]:
        """Errors, errors by each kind of group, and figures of all photos together."""
        kinds = dict.fromkeys(kind for measurement in self.rows.values() for kind in measurement.groups)
        figures = self._figures()
        return [self._errors(), *(self._groups(kind) for kind in kinds), *([figures] if figures.rows else [])]

    def _errors(self) -> Grid:
        rows = []
        for name, measurement in self.rows.items():
            summaries = measurement.summaries()
            values = [getattr(summaries[measure], statistic) for measure, statistic in self.benchmark.columns]
            found = next(iter(summaries.values()))
            rows.append([name, f"{found.found} of {found.count}", *(self._number(value) for value in values)])
        columns = (f"{measure} {statistic}" for measure, statistic in self.benchmark.columns)
        return Grid(["", "found", *columns], rows)

    def _groups(self, kind: str) -> Grid:
        """Mean of the first measure in each group, the photos in which a face was found in brackets; then the ratio."""
        summaries = {name: measurement.by_group(kind) for name, measurement in self.rows.items()}
        names = list(dict.fromkeys(group for groups in summaries.values() for group in groups))
        rows = [
            [name, *(self._group(summaries[name].get(each)) for each in names), _ratio(measurement.ratio(kind))]
            for name, measurement in self.rows.items()
        ]
        return Grid([f"by {kind}", *names, "worst / best (95%)"], rows)

    def _figures(self) -> Grid:
        figures = {name: measurement.figures for name, measurement in self.rows.items() if measurement.figures}
        names = list(dict.fromkeys(figure for each in figures.values() for figure in each))
        rows = [[name, *(self._number(each.get(figure, np.nan)) for figure in names)] for name, each in figures.items()]
        return Grid(["together", *names], rows)

    def _group(self, summary: Summary | None) -> str:
        return "-" if summary is None else f"{self._number(summary.mean)} ({summary.found})"

    def _number(self, value: float) -> str:
        return f"{value:.{self.benchmark.decimals}f}"


@dataclass(frozen=True)
class Report:
    """A whole evaluation."""

    tables: tuple[Table, ...]
    machine: str
    date: str  # ISO 8601, UTC

    def to_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`."""
        tables = [table.to_json() for table in self.tables]
        return {"schema": SCHEMA, "machine": self.machine, "date": self.date, "benchmarks": tables}

    def to_markdown(self) -> str:
        """The tables, and a line with the date and the machine."""
        parts = [f"Measured {self.date[:10]} on {self.machine}.", *(table.to_markdown() for table in self.tables)]
        return "\n\n".join(parts) + "\n"


def describe_machine() -> str:
    """Processor, number of cores that this process may use, and operating system, in one line."""
    processor = platform.processor() or platform.machine()
    if PROCESSOR_INFORMATION.is_file():
        lines = PROCESSOR_INFORMATION.read_text(encoding="utf-8").splitlines()
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = named[0] if named else processor
    return f"{processor}, {usable_cores()} cores, {platform.system()}"


def utc_now() -> str:
    """The time, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def photo_names(photos: Sequence[Path]) -> list[str]:
    """The files relative to their common folder."""
    if not photos:
        return []
    folder = os.path.commonpath([photo.parent for photo in photos])
    return [photo.relative_to(folder).as_posix() for photo in photos]


def _measurement_json(measurement: Measurement) -> dict[str, Any]:
    return {
        "measures": {name: _summary_json(summary) for name, summary in measurement.summaries().items()},
        "groups": {
            kind: {group: _summary_json(summary) for group, summary in measurement.by_group(kind).items()}
            for kind in measurement.groups
        },
        "ratios": {kind: _ratio_json(measurement.ratio(kind)) for kind in measurement.groups},
        "figures": {name: _number(value) for name, value in measurement.figures.items()},
        "photos": [
            {"photo": photo, **{name: _number(float(values[row])) for name, values in measurement.errors.items()}}
            for row, photo in enumerate(photo_names(measurement.photos))
        ],
    }


def _ratio(ratio: Ratio | None) -> str:
    return "-" if ratio is None else f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"


def _ratio_json(ratio: Ratio | None) -> dict[str, str | float] | None:
    if ratio is None:
        return None
    return {name: value if isinstance(value, str) else round(value, 4) for name, value in asdict(ratio).items()}


def _summary_json(summary: Summary) -> dict[str, float | None]:
    return {name: _number(value) for name, value in asdict(summary).items()}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)
