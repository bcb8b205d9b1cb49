"""What an evaluation gives: one row per predictor, as JSON and as Markdown tables, with machine and date."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from deep3d.evaluation.datasets import Half
from deep3d.evaluation.landmarks import REGIONS, YAW_BANDS, LandmarkErrors
from deep3d.evaluation.scans import ScanErrors
from deep3d.evaluation.statistics import Summary, summarize

SCHEMA = "deep3d.evaluation/1"
PROCESSOR_INFORMATION = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class ReportRow:
    """The errors of one predictor; None for a set that was not measured."""

    name: str
    landmarks: LandmarkErrors | None
    scans: ScanErrors | None


@dataclass(frozen=True)
class Report:
    """A whole evaluation."""

    rows: tuple[ReportRow, ...]
    half: Half  # of the portraits
    machine: str
    date: str  # ISO 8601, UTC

    def to_json(self) -> dict[str, Any]:
        """Summaries and per-photo errors, ready for `json.dumps`; numbers that do not exist are None."""
        return {
            "schema": SCHEMA,
            "machine": self.machine,
            "date": self.date,
            "half": self.half,
            "rows": [
                {
                    "name": row.name,
                    "portraits": None if row.landmarks is None else _landmarks_json(row.landmarks),
                    "heads": None if row.scans is None else _scans_json(row.scans),
                }
                for row in self.rows
            ],
        }

    def to_markdown(self) -> str:
        """The tables, with a caption that says what was measured where."""
        landmarks = [(row.name, row.landmarks) for row in self.rows if row.landmarks is not None]
        scans = [(row.name, row.scans) for row in self.rows if row.scans is not None]
        parts = [f"Measured {self.date[:10]} on {self.machine}."]
        if landmarks:
            parts.append(f"Portraits, {self.half!r} half: landmark error in percent of the face box.")
            parts.append(_landmark_table(landmarks))
            parts.append("Regions (68 points) and bands of predicted yaw (NME51, photos in brackets), mean:")
            parts.append(_region_table(landmarks))
        if scans:
            parts.append("Heads: scan-to-mesh error in millimetres.")
            parts.append(_scan_table(scans))
        return "\n\n".join(parts) + "\n"


def describe_machine() -> str:
    """Processor, number of cores that this process may use, and operating system, in one line."""
    processor = platform.processor() or platform.machine()
    if PROCESSOR_INFORMATION.is_file():
        lines = PROCESSOR_INFORMATION.read_text(encoding="utf-8").splitlines()
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = named[0] if named else processor
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor}, {cores} cores, {platform.system()}"


def utc_now() -> str:
    """The time, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _landmark_table(rows: list[tuple[str, LandmarkErrors]]) -> str:
    header = ["", "found", "NME51 mean", "median", "p90", "NME68 mean", "median", "p90"]
    body = []
    for name, errors in rows:
        inner, full = summarize(errors.nme51), summarize(errors.nme68)
        body.append([name, f"{inner.found} of {inner.count}", *_numbers(inner), *_numbers(full)])
    return _table(header, body)


def _region_table(rows: list[tuple[str, LandmarkErrors]]) -> str:
    header = ["", *REGIONS, *(_band(band) for band in YAW_BANDS)]
    body = []
    for name, errors in rows:
        by_yaw = errors.by_yaw()
        bands = [f"{by_yaw[band].mean:.2f} ({by_yaw[band].found})" if band in by_yaw else "-" for band in YAW_BANDS]
        body.append([name, *(f"{region.mean:.2f}" for region in errors.by_region().values()), *bands])
    return _table(header, body)


def _scan_table(rows: list[tuple[str, ScanErrors]]) -> str:
    header = ["", "found", "median of medians", "p90 of medians", "mean of means", "p90 of means"]
    body = []
    for name, errors in rows:
        median, mean = summarize(errors.median), summarize(errors.mean)
        numbers = [f"{value:.3f}" for value in (median.median, median.p90, mean.mean, mean.p90)]
        body.append([name, f"{median.found} of {median.count}", *numbers])
    return _table(header, body)


def _table(header: list[str], body: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in [header, *body]) for column in range(len(header))]
    rows = [[cell.rjust(width) for cell, width in zip(row, widths)] for row in [header, *body]]
    rule = ["-" * (width - 1) + ":" for width in widths]
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]])


def _numbers(summary: Summary) -> list[str]:
    return [f"{value:.2f}" for value in (summary.mean, summary.median, summary.p90)]


def _band(band: tuple[int, int]) -> str:
    low, high = band
    return f"yaw {low}+" if high >= 180 else f"yaw {low}-{high}"


def _landmarks_json(errors: LandmarkErrors) -> dict[str, Any]:
    return {
        "unit": "percent of the face box",
        "nme51": _summary_json(summarize(errors.nme51)),
        "nme68": _summary_json(summarize(errors.nme68)),
        "regions": {name: _summary_json(summary) for name, summary in errors.by_region().items()},
        "yaw_bands": {_band(band): _summary_json(summary) for band, summary in errors.by_yaw().items()},
        "photos": _photos_json(errors.photos, nme51=errors.nme51, nme68=errors.nme68, yaw=errors.yaw),
    }


def _scans_json(errors: ScanErrors) -> dict[str, Any]:
    return {
        "unit": "millimetres",
        "median": _summary_json(summarize(errors.median)),
        "mean": _summary_json(summarize(errors.mean)),
        "photos": _photos_json(errors.photos, median=errors.median, mean=errors.mean),
    }


def _summary_json(summary: Summary) -> dict[str, float | None]:
    return {name: _number(value) for name, value in asdict(summary).items()}


def _photos_json(photos: tuple[str, ...], **columns: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"photo": photo, **{name: _number(float(column[row])) for name, column in columns.items()}}
        for row, photo in enumerate(photos)
    ]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)
