"""The charts of the operators' page: bars for each of the last 24 hours, drawn as SVG by the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Integer, case, cast, func, select

from serving.language import N_
from serving.site import Site
from serving.store.tables import Job, Status

HOUR = 3600
HOURS = 24
WIDTH, HEIGHT = 10.0, 60.0  # of a bar with its gap, and of the highest one


@dataclass(frozen=True)
class Bar:
    """A rectangle."""

    kind: str  # good or bad
    x: float
    y: float
    height: float
    label: str


@dataclass(frozen=True)
class Chart:
    """One figure, hour by hour, the oldest first."""

    title: str
    bars: list[Bar]
    most: str  # the highest value, in words
    spoken: str  # the values, for who does not see them


def charts(site: Site, now: float) -> list[Chart]:
    """Jobs that ended until now, how many of them failed, and how long people waited."""
    hour = cast((Job.finished_at - (now - HOURS * HOUR)) / HOUR, Integer)
    failed = func.sum(case((Job.status == Status.FAILED, 1), else_=0))
    asked = (
        select(
            hour,
            func.count(),
            failed,
            func.avg(Job.finished_at - Job.created_at),
            func.avg(Job.started_at - Job.created_at),
        )
        .where(Job.finished_at > now - HOURS * HOUR, Job.status.in_((Status.DONE, Status.FAILED)))
        .group_by(hour)
    )
    with site.database.reading() as session:
        rows = {int(each[0]): each[1:] for each in session.execute(asked)}
    table = [rows.get(number, (0, 0, 0.0, 0.0)) for number in range(HOURS)]
    return [
        _chart(N_("Jobs done"), [float(each[0]) for each in table], "{:.0f}"),
        _chart(N_("Failed"), [float(each[1] or 0) for each in table], "{:.0f}", "bad"),
        _chart(N_("From photo to face"), [float(each[2] or 0) for each in table], "{:.1f} s"),
        _chart(N_("Wait in the queue"), [float(each[3] or 0) for each in table], "{:.1f} s"),
    ]


def _chart(title: str, values: Sequence[float], words: str, kind: str = "good") -> Chart:
    most = max(values)
    heights = [HEIGHT * value / most if most else 0.0 for value in values]
    bars = [
        Bar(
            kind,
            WIDTH * number,
            round(HEIGHT + 3 - height, 1),
            round(height, 1),
            f"-{HOURS - number} h: {words.format(value)}",
        )
        for number, (value, height) in enumerate(zip(values, heights))
        if value
    ]
    return Chart(title, bars, words.format(most), ", ".join(words.format(value) for value in values))
