"""`deep3d bench`: how fast."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from deep3d.cli.output import require_writable, say, write_json


def bench(
    photo: Annotated[
        Path | None, typer.Argument(help="Photo to measure with, instead of the one that comes with the project.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each part is repeated; the median counts.")] = 12,
    out: Annotated[Path | None, typer.Option(help="Write the figures as JSON into this file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the times into this picture.")] = None,
    eos_share: Annotated[Path | None, typer.Option(help="Folder `share` of eos, to measure eos-py too.")] = None,
    only: Annotated[
        str | None, typer.Option(help="Measure only these parts, with commas between; all by default.")
    ] = None,
    mediapipe_model: Annotated[
        Path | None, typer.Option(help="MediaPipe's face_landmarker.task, to measure it too.")
    ] = None,
) -> None:
    """Time the way from a photo to its files beside the reference's and others', and the tools along it, here."""
    from deep3d.bench import Peers, run_bench
    from deep3d.bench.plot import draw_bars, require_drawable
    from deep3d.bench.run import PARTS
    from deep3d.cli.drawing import chosen_kinds
    from deep3d.files.assets import asset

    for path in (out, plot):
        require_writable(path)
    require_drawable(plot)
    peers = Peers(eos_share, mediapipe_model)
    photo = photo or asset("docs/sample", "astronaut.jpg")
    parts = PARTS if only is None else chosen_kinds(only, PARTS, "--only")
    report = run_bench(photo, rounds, lambda part: say(f"Measuring: {part}"), peers, parts)
    sys.stdout.write(report.to_markdown())
    write_json(out, report.to_json())
    if plot is not None:
        draw_bars(report, plot)
