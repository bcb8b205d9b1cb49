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


CheckpointOption = Annotated[Path | None, typer.Option(help="Weights to use instead of the shipped ones.")]
ModelOption = Annotated[Path | None, typer.Option("--model", help="Face model to use instead of the open one.")]
RuntimeOption = Annotated[
    str | None,
    typer.Option(help="What runs the network: openvino, onnx, torchscript, eager or cuda; by default the fastest."),
]
RefineOption = Annotated[
    Refine,
    typer.Option(help="Fit each face to its dense landmarks, or after that to the photo's colours: some seconds more."),
]
NoRefineOption = Annotated[bool, typer.Option("--no-refine", help="Fit nothing: give the regressed face.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="Processor threads; all usable cores by default.")]
PrecisionOption = Annotated[
    str | None,
    typer.Option(help="fp32, bf16 or int8; by default the fastest that the processor has, fp32 for float32 weights."),
]


def refinement(refine: Refine, no_refine: bool) -> Refinement:
    """What --refine and --no-refine ask for together."""
    return "none" if no_refine else refine.value
