"""`deep3d bench`: how fast."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from deep3d.cli.output import require_writable, say, write_json


def bench(
    photo: Annotated[Path, typer.Argument(help="Photo to measure with.")],
    rounds: Annotated[int, typer.Option(min=1, help="How often each part is repeated; the median counts.")] = 12,
    out: Annotated[Path | None, typer.Option(help="Write the figures as JSON into this file.")] = None,
) -> None:
    """Time the way from a photo to its files, and the tools along it, on this machine."""
    from deep3d.bench import run_bench

    require_writable(out)
    report = run_bench(photo, rounds, lambda part: say(f"Measuring: {part}"))
    sys.stdout.write(report.to_markdown())
    write_json(out, report.to_json())
