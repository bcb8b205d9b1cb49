"""The result of a benchmark: figures in sections, as Markdown tables with ratios of the same run, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

SCHEMA = "deep3d.bench/1"


@dataclass(frozen=True)
class Figure:
    """One measured number: the median of several rounds, and their range."""

    name: str
    value: float
    unit: str
    low: float
    high: float
    ratio: float | None = None  # times as fast as the base of its section


@dataclass(frozen=True)
class Section:
    """Figures that belong together."""

    title: str
    figures: tuple[Figure, ...]
    base: str | None = None  # name of the figure that ratios refer to
    skipped: tuple[str, ...] = ()  # what could not be measured, and why

    def to_markdown(self) -> str:
        """A heading, a table, and what could not be measured."""
        head, rule = "| what | median | range |", "|---|---:|---:|"
        if self.base:
            head, rule = f"{head} times as fast as {self.base} |", f"{rule}---:|"
        table = [head, rule, *(self._row(figure) for figure in self.figures)] if self.figures else []
        notes = [f"Not measured: {reason}." for reason in self.skipped]
        return "\n".join([f"### {self.title}", "", *table, *([""] if table and notes else []), *notes])

    def _row(self, figure: Figure) -> str:
        row = f"| {figure.name} | {digits(figure.value)} {figure.unit} "
        row += f"| {digits(figure.low)} to {digits(figure.high)} |"
        return f"{row} {'' if figure.ratio is None else f'{figure.ratio:.2f}'} |" if self.base else row


@dataclass(frozen=True)
class BenchReport:
    """The figures of one run."""

    sections: tuple[Section, ...]
    machine: dict[str, Any]  # `runtime.plan.machine_facts`
    date: str  # ISO 8601, UTC

    def to_json(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        return {"schema": SCHEMA, **asdict(self)}

    def to_markdown(self) -> str:
        """The tables, and a line with the date and the machine."""
        where = f"{self.machine['processor']}, {self.machine['cores']} cores, {self.machine['system']}"
        tables = (section.to_markdown() for section in self.sections)
        return "\n\n".join([f"Measured {self.date[:10]} on {where}.", *tables]) + "\n"


def figure(name: str, values: Sequence[float], unit: str) -> Figure:
    """The figure of several measurements."""
    return Figure(name, median(values), unit, min(values), max(values))


def compared(
    seconds: Mapping[str, Sequence[float]], base: str | None, shares: Mapping[str, int] | None = None
) -> list[Figure]:
    """Milliseconds and ratios of what `timing.race` measured.

    `shares` gives the number of photos or crops that a contestant processes at a time, where that is more than one. A
    ratio is the median over the rounds, so a machine that is slow for a while does not distort it.
    """
    each = {name: [t / (shares or {}).get(name, 1) for t in times] for name, times in seconds.items()}
    figures = []
    for name, times in each.items():
        ratio = median(b / t for b, t in zip(each[base], times, strict=True)) if base else None
        low, high = 1000 * min(times), 1000 * max(times)
        figures.append(Figure(name, 1000 * median(times), "ms", low, high, ratio))
    return figures


def digits(value: float) -> str:
    """Three significant digits, and all digits before the decimal point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
