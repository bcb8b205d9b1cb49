"""`deep3d bench`: speed and memory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from deep3d.cli.output import require_writable, say, write_json


def bench(
    photo: Annotated[
        Path | None, typer.Argument(help="Photo to benchmark with, instead of the one that comes with the project.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Repetitions of each part; the median is reported.")] = 12,
    out: Annotated[Path | None, typer.Option(help="Write the figures to this JSON file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Plot the times to this picture.")] = None,
    eos_share: Annotated[Path | None, typer.Option(help="Folder `share` of eos, to benchmark eos-py too.")] = None,
    only: Annotated[
        str | None, typer.Option(help="Measure only these parts, separated by commas; all by default.")
    ] = None,
    mediapipe_model: Annotated[
        Path | None, typer.Option(help="MediaPipe's face_landmarker.task, to benchmark it too.")
    ] = None,
    mediapipe_python: Annotated[
        Path | None, typer.Option(help="Python of an environment that has MediaPipe, where this one does not.")
    ] = None,
    tddfa: Annotated[
        Path | None, typer.Option(help="Folder of 3DDFA_V2, built and with its models, to benchmark it too.")
    ] = None,
    tddfa_python: Annotated[
        Path | None, typer.Option(help="Python of an environment that runs 3DDFA_V2, where this one does not.")
    ] = None,
) -> None:
    """Benchmark this machine: from a photo to its files, each step, and other projects for comparison."""
    from deep3d.bench import Peers, run_bench
    from deep3d.bench.plot import draw_bars, require_drawable
    from deep3d.bench.run import PARTS
    from deep3d.cli.drawing import chosen_kinds
    from deep3d.files.assets import sample_photo

    for path in (out, plot):
        require_writable(path)
    require_drawable(plot)
    peers = Peers(eos_share, mediapipe_model, mediapipe_python, tddfa, tddfa_python)
    photo = photo or sample_photo()
    parts = PARTS if only is None else chosen_kinds(only, PARTS, "--only")
    report = run_bench(photo, rounds, lambda part: say(f"Measuring: {part}"), peers, parts)
    sys.stdout.write(report.to_markdown())
    write_json(out, report.to_json())
    if plot is not None:
        draw_bars(report, plot)
