"""The evaluation as one HTML file for people: tables, cumulative errors, groups, and the worst photos.

The file is self-contained. It shows photos of the data sets, so share it only with people who may see those.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from deep3d.drawing import draw_overlay
from deep3d.errors import OutputNotWritable, RuntimeUnavailable
from deep3d.evaluation.measurement import Measurement
from deep3d.evaluation.predictor import ReconstructorPredictor
from deep3d.evaluation.report import Grid, Report, Table, photo_names
from deep3d.rendering.cpu import CpuRasterizer

FILE = "report.html"
WORST = 6  # photos of each benchmark that are shown
JPEG_QUALITY = 80
SIZE = (5.2, 3.2)  # inches, of a plot
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 }
th, td { padding: .2em .7em; text-align: right; border-bottom: 1px solid #ddd }
figure { margin: 1em 0 } img { max-width: 100% } .plots { display: flex; flex-wrap: wrap; gap: 1em }
"""


def write_picture_report(report: Report, folder: Path, predictors: Sequence[object]) -> Path:
    """Write report.html into a folder; the worst photos are drawn by the reconstructors among the predictors.

    Raises: OutputNotWritable, RuntimeUnavailable without matplotlib.
    """
    drawing = {each.name: each for each in predictors if isinstance(each, ReconstructorPredictor)}
    sections = "\n".join(_section(table, drawing) for table in report.tables)
    page = (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>deep3d evaluation</title>'
        f"<style>{STYLE}</style>\n<h1>Evaluation</h1>\n"
        f"<p>Measured {report.date[:10]} on {escape(report.machine)}.</p>\n{sections}\n</html>\n"
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(page, encoding="utf-8")
    except OSError as error:
        raise OutputNotWritable(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
    return folder / FILE


def _section(table: Table, drawing: dict[str, ReconstructorPredictor]) -> str:
    parts = [f"<h2>{escape(table.benchmark.caption)}</h2>", *(_html_table(grid) for grid in table.grids())]
    plots = [_cumulative(table), *(_bars(table, kind) for kind in _kinds(table))]
    parts.append(f'<div class="plots">{"".join(plots)}</div>')
    shown = [name for name in table.rows if name in drawing]
    if shown:
        parts.append(_worst(table.rows[shown[-1]], drawing[shown[-1]], table.benchmark.decimals))
    return "\n".join(parts)


def _html_table(grid: Grid) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in grid.header)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in grid.rows)
    return f"<table><tr>{head}</tr>{rows}</table>"


def _kinds(table: Table) -> list[str]:
    return list(dict.fromkeys(kind for measurement in table.rows.values() for kind in measurement.groups))


def _cumulative(table: Table) -> str:
    """Share of all photos, including those without a face, with an error up to each value."""
    figure, axes = _plot()
    for name, measurement in table.rows.items():
        errors = np.sort(measurement.main[~np.isnan(measurement.main)])
        axes.step(errors, 100 * np.arange(1, len(errors) + 1) / max(len(measurement.photos), 1), label=name)
    axes.set(
        xlabel=next((next(iter(row.errors)) for row in table.rows.values()), ""), ylabel="photos, %", ylim=(0, 100)
    )
    axes.legend(loc="lower right")
    return _svg(figure)


def _bars(table: Table, kind: str) -> str:
    figure, axes = _plot()
    summaries = {name: measurement.by_group(kind) for name, measurement in table.rows.items()}
    groups = list(dict.fromkeys(group for each in summaries.values() for group in each))
    for number, (name, by_group) in enumerate(summaries.items()):
        means = [by_group[group].mean if group in by_group else np.nan for group in groups]
        axes.bar(np.arange(len(groups)) + 0.8 * number / len(summaries), means, 0.8 / len(summaries), label=name)
    axes.set_xticks(np.arange(len(groups)) + 0.4 - 0.4 / max(len(summaries), 1), groups)
    axes.set(title=f"mean by {kind}")
    return _svg(figure)


def _worst(measurement: Measurement, predictor: ReconstructorPredictor, decimals: int) -> str:
    names = photo_names(measurement.photos)
    found = np.flatnonzero(~np.isnan(measurement.main))
    worst = found[np.argsort(-measurement.main[found], kind="stable")][:WORST]
    faces = predictor.reconstructions([measurement.photos[row] for row in worst])
    missing = [name for name, error in zip(names, measurement.main) if np.isnan(error)]
    parts = [f"<h3>{escape(predictor.name)}: the largest errors</h3>"]
    for row, face in zip(worst, faces):
        picture = "" if face is None else _jpeg(draw_overlay(face, CpuRasterizer()))
        caption = f"{escape(names[row])}: {measurement.main[row]:.{decimals}f}"
        parts.append(f"<figure>{picture}<figcaption>{caption}</figcaption></figure>")
    if missing:
        parts.append(f"<p>No face found: {escape(', '.join(missing))}</p>")
    return "\n".join(parts)


def _jpeg(picture: np.ndarray) -> str:
    packed = io.BytesIO()
    Image.fromarray(picture).save(packed, "JPEG", quality=JPEG_QUALITY)
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(packed.getvalue()).decode()}">'


def _plot():
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RuntimeUnavailable("matplotlib: not installed, and plots need it; install deep3d[evaluation]") from error
    figure = Figure(SIZE, layout="constrained")
    return figure, figure.add_subplot()


def _svg(figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg")
    return text.getvalue()[text.getvalue().index("<svg") :]
