"""`deep3d evaluate` and `deep3d bench`: how accurate, how fast."""

from __future__ import annotations

import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deep3d.cli.options import CheckpointOption, ModelOption, RefineOption, RuntimeOption, ThreadsOption
from deep3d.cli.output import progress, require_writable, say, write_json
from deep3d.errors import CheckpointMissing

if TYPE_CHECKING:
    from deep3d.evaluation import FacePredictor


class HalfOption(StrEnum):
    """Which half of the portraits."""

    TUNE = "tune"
    REPORT = "report"


def evaluate(
    portraits: Annotated[Path | None, typer.Option(help="Folder of portraits with reference landmarks.")] = None,
    heads: Annotated[Path | None, typer.Option(help="Folder of synthetic heads with scans.")] = None,
    half: Annotated[HalfOption, typer.Option(help="Which half of the portraits is measured.")] = HalfOption.REPORT,
    out: Annotated[Path | None, typer.Option(help="Write the figures as JSON into this file.")] = None,
    mean_face_only: Annotated[bool, typer.Option("--mean-face-only", help="Measure no checkpoint.")] = False,
    alignments: Annotated[int, typer.Option(min=1, max=3, help="How often a face is cropped and predicted.")] = 2,
    precision: Annotated[
        str | None, typer.Option(help="fp32 or bf16; bf16 by default where the processor has it.")
    ] = None,
    checkpoint: CheckpointOption = None,
    face_model: ModelOption = None,
    runtime: RuntimeOption = "eager",
    threads: ThreadsOption = None,
    refine: RefineOption = True,
    confidence: Annotated[
        bool,
        typer.Option("--confidence", help="Also spoil the portraits, and see whether results know how good they are."),
    ] = False,
) -> None:
    """Measure landmarks and shape against the frozen sets, with the mean face as the first row.

    The mean face is the only row where the project comes without its checkpoint and none is named.
    """
    from deep3d.evaluation import evaluate_confidence, read_portraits, run_evaluation
    from deep3d.evaluation.predictor import ReconstructorPredictor, mean_face
    from deep3d.reconstruct import Reconstructor

    require_writable(out)
    predictors: list[FacePredictor] = [mean_face(face_model)]
    loaded = None
    if not mean_face_only:
        try:
            loaded = Reconstructor.load(checkpoint, face_model, runtime, threads, precision, alignments, refine)
            if loaded.refines:
                predictors.append(ReconstructorPredictor(loaded.regressor_alone()))
            predictors.append(ReconstructorPredictor(loaded))
        except CheckpointMissing as error:
            if checkpoint is not None:
                raise
            say(f"deep3d: {error}; until then only the mean face is measured")
    with progress() as bar:
        tasks: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done)

        report = run_evaluation(portraits, heads, predictors, half.value, advance)
        spoiled = None
        if confidence and loaded is not None and portraits is not None:
            spoiled = evaluate_confidence(loaded, read_portraits(portraits, half.value), partial(advance, "confidence"))
    sys.stdout.write(report.to_markdown() + "\n")
    if spoiled is not None:
        sys.stdout.write(
            "Portraits as they are and spoiled, errors in percent of the face box.\n\n" + spoiled.to_markdown()
        )
    write_json(out, report.to_json())


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
