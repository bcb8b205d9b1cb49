"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deep3d.pipeline.reconstructor import Refinement


class Refine(StrEnum):
    """What faces are fitted to."""

    LANDMARKS = "landmarks"
    PHOTOMETRIC = "photometric"
    SURFACE = "surface"


class QualityChoice(StrEnum):
    """How much is done for a face."""

    FAST = "fast"
    NORMAL = "normal"
    BEST = "best"


CheckpointOption = Annotated[Path | None, typer.Option(help="Weights to use instead of the shipped ones.")]
ModelOption = Annotated[Path | None, typer.Option("--model", help="Face model to use instead of the open one.")]
RuntimeOption = Annotated[
    str | None,
    typer.Option(help="What runs the network: openvino, onnx, torchscript, eager or cuda; by default the fastest."),
]
QualityOption = Annotated[
    QualityChoice,
    typer.Option(
        help="fast: one crop, nothing fitted; normal: fitted to landmarks and colours; best: beyond the linear model."
    ),
]
RefineOption = Annotated[
    Refine | None,
    typer.Option(help="Fit faces to landmarks, to the photo's colours too, or beyond the linear model; see --quality."),
]
NoRefineOption = Annotated[bool, typer.Option("--no-refine", help="Fit nothing: give the regressed face.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="Processor threads; all usable cores by default.")]
PrecisionOption = Annotated[
    str | None,
    typer.Option(help="fp32, bf16 or int8; by default the fastest that the processor has, fp32 for float32 weights."),
]


def refinement(refine: Refine | None, no_refine: bool) -> Refinement | None:
    """What --refine and --no-refine ask for together, None where that is left to --quality."""
    if no_refine:
        return "none"
    return None if refine is None else refine.value
