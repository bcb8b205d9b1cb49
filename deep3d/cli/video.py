"""`deep3d video`: follow faces through a video."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deep3d.cli.drawing import chosen_kinds
from deep3d.cli.options import (
    CheckpointOption,
    ModelOption,
    PrecisionOption,
    QualityChoice,
    QualityOption,
    RuntimeOption,
    ThreadsOption,
)
from deep3d.cli.output import progress, say
from deep3d.cli.startup import starting

if TYPE_CHECKING:
    from deep3d.video.drawing import Advance


class SmoothChoice(StrEnum):
    """How curves are smoothed."""

    ONE_EURO = "one-euro"
    WINDOW = "window"
    NONE = "none"


def video(
    video: Annotated[Path, typer.Argument(help="The video.", metavar="VIDEO")],
    out: Annotated[Path, typer.Option(help="The video to write: .mp4, .mov or .mkv.")],
    kind: Annotated[
        str,
        typer.Option(
            "-o",
            "--kind",
            help="What to draw: 2d_sparse, 2d_dense, 3d, depth, pncc, pose, normals, albedo, wireframe or error.",
        ),
    ] = "2d_sparse",
    start: Annotated[float, typer.Option(min=0, help="Start time in seconds.")] = 0.0,
    end: Annotated[
        float | None, typer.Option(min=0, help="End time in seconds; by default the end of the video.")
    ] = None,
    smooth: Annotated[
        SmoothChoice, typer.Option(help="How curves are smoothed over time, without lag.")
    ] = SmoothChoice.ONE_EURO,
    n_pre: Annotated[int, typer.Option("--n-pre", min=0, help="With --smooth window: frames before each one.")] = 1,
    n_next: Annotated[int, typer.Option("--n-next", min=0, help="With --smooth window: frames after each one.")] = 1,
    table: Annotated[Path | None, typer.Option(help="Write a row for each frame and face: .parquet or .csv.")] = None,
    glb: Annotated[
        Path | None, typer.Option(help="Write the face as an animated GLB; several people get a file each.")
    ] = None,
    livelink: Annotated[Path | None, typer.Option(help="Write the curves as a CSV of Live Link Face.")] = None,
    onto: Annotated[
        Path | None, typer.Option(help="Folder of a reconstructed face to animate with the faces of the video.")
    ] = None,
    checkpoint: CheckpointOption = None,
    face_model: ModelOption = None,
    runtime: RuntimeOption = None,
    precision: PrecisionOption = None,
    threads: ThreadsOption = None,
    quality: QualityOption = QualityChoice.NORMAL,
) -> None:
    """Follow the faces of a video: draw them, and write their curves, an animated GLB, a Live Link Face CSV.

    Each person keeps one identity, estimated over the whole video. The sound is kept. A killed command continues where
    it stopped. Exit code 0 when faces were found, 1 when there are none, 2 for wrong usage.
    """
    with starting():
        from deep3d.cli.compiling import compiling_told
        from deep3d.errors import NoFaceInVideo
        from deep3d.pipeline.reconstructor import Reconstructor
        from deep3d.video.drawing import KINDS, draw_video
        from deep3d.video.request import Actor, VideoRequest
        from deep3d.video.smoothing import Smoothing

    for option, seconds in (("--start", start), ("--end", end)):
        if seconds is not None and not math.isfinite(seconds):
            raise typer.BadParameter(f"{seconds} is not a time; give seconds", param_hint=option)
    (drawn, *further) = chosen_kinds(kind, KINDS)
    if further:
        raise typer.BadParameter("a video shows one kind; run the command again for another", param_hint="-o")
    if end is not None and end <= start:
        raise typer.BadParameter("--end is not after --start")
    with starting(), compiling_told():
        reconstructor = Reconstructor.load(
            checkpoint, face_model, runtime, threads, precision, goal="throughput", quality=quality.value
        )
        request = VideoRequest(
            source=video,
            out=out,
            kind=drawn,
            start=start,
            end=end,
            smoothing=Smoothing(smooth.value, n_pre, n_next),
            table=table,
            glb=glb,
            live_link=livelink,
            onto=None if onto is None else Actor.read(onto, reconstructor.face_model),
        )
    try:
        with progress() as bar:
            report = draw_video(reconstructor, request, _shown_on(bar))
    except NoFaceInVideo as error:
        say(f"deep3d: {error}")
        raise typer.Exit(1) from None
    faces = ", ".join(f"face {number} in {count}" for number, count in report.faces.items())
    say(f"{video}: {report.frames} frames, {faces}; {', '.join(map(str, report.files))}")


def _shown_on(bar: Any) -> Advance:
    tasks: dict[str, Any] = {}

    def advance(stage: str, done: int, total: int | None) -> None:
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage, total=total)
        bar.update(tasks[stage], completed=done, total=None if total is None else max(done, total))

    return advance
