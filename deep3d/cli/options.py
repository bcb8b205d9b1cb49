"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CheckpointOption = Annotated[Path | None, typer.Option(help="Weights to use instead of the shipped ones.")]
ModelOption = Annotated[Path | None, typer.Option("--model", help="Face model to use instead of the open one.")]
RuntimeOption = Annotated[
    str | None,
    typer.Option(help="What runs the network: openvino, onnx, torchscript, eager or cuda; by default the fastest."),
]
RefineOption = Annotated[bool, typer.Option(help="Fit each face to its dense landmarks, or give the regressed one.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="Processor threads; all usable cores by default.")]
PrecisionOption = Annotated[
    str | None,
    typer.Option(help="fp32, bf16 or int8; by default bf16 where the processor has it, fp32 for float32 weights."),
]
