"""The times of a benchmark as bars."""

from __future__ import annotations

from pathlib import Path

from deep3d.bench.figures import BenchReport, Section, digits
from deep3d.errors import ConfigError, ExtraMissing

_ROW = 0.28  # inches


def require_drawable(path: Path | None) -> None:
    """Check that a plot can be written, before a long measurement.

    Raises: ExtraMissing without matplotlib, ConfigError if the name has no picture suffix.
    """
    if path is None:
        return
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError as error:
        raise ExtraMissing("--plot: needs the package matplotlib, which is not installed") from error
    if path.suffix.removeprefix(".") not in FigureCanvasBase.get_supported_filetypes():
        raise ConfigError(f"--plot: {path} must end like a picture: .png, .svg or .pdf")


def draw_bars(report: BenchReport, path: Path) -> None:
    """Draw the milliseconds of each section: medians as bars, ranges as whiskers, ratios as labels."""
    from matplotlib.figure import Figure

    sections = {section.title: times for section in report.sections if (times := _milliseconds(section)).figures}
    rows = [len(times.figures) for times in sections.values()]
    figure = Figure(figsize=(9, _ROW * (sum(rows) + 4 * len(rows))), layout="constrained")
    axes = figure.subplots(len(rows), squeeze=False, height_ratios=rows)[:, 0]
    for axis, (title, section) in zip(axes, sections.items(), strict=True):
        names = [each.name.replace("&emsp;", "  ") for each in section.figures]
        medians = [each.value for each in section.figures]
        whiskers = [
            [each.value - each.low for each in section.figures],
            [each.high - each.value for each in section.figures],
        ]
        bars = axis.barh(range(len(names)), medians, xerr=whiskers, color="#4878a8", ecolor="#999999")
        labels = [digits(each.value) + (f" ({each.ratio:.1f} x)" if each.ratio else "") for each in section.figures]
        axis.bar_label(bars, labels, padding=3, fontsize="small")
        axis.set_yticks(range(len(names)), names, fontsize="small")
        axis.set(title=title, xlabel="ms", xlim=(0, 1.25 * max(each.high for each in section.figures)))
        axis.invert_yaxis()
    figure.savefig(path, dpi=120)


def _milliseconds(section: Section) -> Section:
    return Section(section.title, tuple(each for each in section.figures if each.unit == "ms"), section.base)
