"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deep3d.pipeline.fitter import Refinement


class Refine(StrEnum):
    """What faces are fitted to."""

    LANDMARKS = "landmarks"
    PHOTOMETRIC = "photometric"
    SURFACE = "surface"


class QualityChoice(StrEnum):
    """How much work is spent on a face."""

    FAST = "fast"
    NORMAL = "normal"
    BEST = "best"


class HairOption(StrEnum):
    """What heads wear."""

    NONE = "none"
    SHELL = "shell"


CheckpointOption = Annotated[Path | None, typer.Option(help="Checkpoint to use instead of the shipped one.")]
ModelOption = Annotated[Path | None, typer.Option("--model", help="Face model to use instead of the shipped one.")]
RuntimeOption = Annotated[
    str | None,
    typer.Option(help="Runtime of the networks: openvino, onnx, torchscript, eager or cuda; by default the fastest."),
]
QualityOption = Annotated[
    QualityChoice,
    typer.Option(
        help="fast: one crop, no fitting; normal: fit landmarks and colours; best: also fit beyond the linear model."
    ),
]
RefineOption = Annotated[
    Refine | None,
    typer.Option(help="Fit to landmarks, also to the photo's colours, or also beyond the linear model; see --quality."),
]
NoRefineOption = Annotated[bool, typer.Option("--no-refine", help="Skip fitting and return the network's prediction.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="CPU threads; by default all available cores.")]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        help="fp32, bf16 or int8; by default the fastest that the processor supports, and fp32 for float32 weights."
    ),
]


def refinement(refine: Refine | None, no_refine: bool) -> Refinement | None:
    """The refinement that --refine and --no-refine select, None where --quality decides."""
    if no_refine:
        return "none"
    return None if refine is None else refine.value
