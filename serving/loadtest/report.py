"""What a load test measured, as a table for people and as JSON for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Report:
    """Figures by what they tell, with their unit in it; `faults` are what a site must never do, each in a line."""

    figures: Mapping[str, float | str]
    faults: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"figures": dict(self.figures), "faults": list(self.faults)}

    def to_markdown(self) -> str:
        """A table, and the faults below it."""
        lines = ["| what | measured |", "|---|---:|"]
        lines += [f"| {what} | {_told(value)} |" for what, value in self.figures.items()]
        return "\n".join([*lines, *(f"FAULT: {fault}" for fault in self.faults)])


def quantile(values: Sequence[float], share: float) -> float:
    """A quantile of values, 0 if there are none."""
    import numpy as np  # not while `deep3d --help` looks at the commands

    return float(np.quantile(values, share)) if values else 0.0


def _told(value: float | str) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
