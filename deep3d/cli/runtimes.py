"""`deep3d export`, `deep3d tune`, `deep3d compile`: the network for other programs, and preparing this machine."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deep3d.cli.options import CheckpointOption, ModelOption
from deep3d.cli.output import progress, require_writable, say, write_json
from deep3d.errors import ConfigError, OutputNotWritable

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from deep3d.face_model import FaceModel
    from deep3d.network.checkpoints import Checkpoint
    from deep3d.runtime.calibration import Calibration
    from deep3d.runtime.ranges import Range

    RangeMeasure = Callable[[FaceModel, np.ndarray], dict[str, Range]]

CALIBRATION_HEADS = 256
HEADS_AT_ONCE = 32


def export(
    out: Annotated[Path, typer.Option(help="File to write; its name ends in .onnx, .xml (OpenVINO), .pt or .pt2.")],
    runtime: Annotated[str, typer.Option(help="Target runtime: onnx, openvino, torchscript or eager (torch.export).")],
    precision: Annotated[str, typer.Option(help="fp32; bf16 for torch; int8 for onnx and openvino.")] = "fp32",
    checkpoint: CheckpointOption = None,
    face_model: ModelOption = None,
) -> None:
    """Export the network for other programs.

    The first int8 export measures activation ranges on synthetic heads and keeps them beside the checkpoint. After
    that, the openvino runtime can use int8 too, also for a refiner and a dense network beside the checkpoint. An
    unusable file of ranges is replaced.
    """
    from deep3d.network.checkpoints import read_checkpoint
    from deep3d.runtime.artefacts import PRECISIONS, SUFFIXES, write_artefact

    if runtime not in SUFFIXES:
        raise ConfigError(f"--runtime: {runtime!r} is unknown; choose one of {', '.join(SUFFIXES)}")
    if precision not in PRECISIONS[runtime]:
        raise ConfigError(
            f"--precision: {precision!r} is unknown for {runtime}; choose one of {', '.join(PRECISIONS[runtime])}"
        )
    if out.suffix != SUFFIXES[runtime]:
        raise ConfigError(f"--out: {out} must end in {SUFFIXES[runtime]} for {runtime}")
    require_writable(out)
    weights = read_checkpoint(checkpoint)
    if precision == "int8":
        _calibrate(weights, face_model)
    write_artefact(weights, runtime, precision, out)
    say(f"{out}: written")


def tune(
    seconds: Annotated[float, typer.Option(min=1, help="Time limit; what was not measured by then is skipped.")] = (
        180.0
    ),
    out: Annotated[Path | None, typer.Option(help="Write all figures to this JSON file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Plot images per second by batch size to this picture.")] = None,
    checkpoint: CheckpointOption = None,
) -> None:
    """Benchmark runtimes, precisions, threads, processes and batch sizes on this machine, and use the best from now on.

    The plan is kept in the user's cache. It holds for this processor, these package versions and this checkpoint.
    """
    from dataclasses import asdict

    from deep3d.network.checkpoints import read_checkpoint
    from deep3d.runtime.plan import machine_facts, write_plans
    from deep3d.runtime.tuning import Trial, best
    from deep3d.runtime.tuning import tune as measure
    from deep3d.runtime.tuning_report import draw_curves, to_markdown

    for path in (out, plot):
        require_writable(path)
    weights = read_checkpoint(checkpoint)
    with progress() as bar:
        task = bar.add_task("Tuning")

        def advance(trial: Trial, number: int, count: int) -> None:
            what = f"{trial.runtime} {trial.precision}, {trial.processes} x {trial.threads} threads"
            bar.update(task, completed=number, total=count, description=what)

        measured = measure(weights, seconds, advance)
    plans = best(measured)
    try:
        path = write_plans(weights, plans)
    except OSError as error:
        raise OutputNotWritable(
            f"{error.filename}: cannot write the plan ({error.strerror}); set XDG_CACHE_HOME to another folder"
        ) from error
    machine = machine_facts(weights)
    sys.stdout.write(to_markdown(measured, plans, machine))
    write_json(out, {"machine": machine, "measured": [asdict(plan) for plan in measured], **asdict(plans)})
    say(f"{path}: plan written")
    if plot is not None:
        draw_curves(measured, plot)


def _calibrate(checkpoint: Checkpoint, face_model: Path | None) -> None:
    """Measure the activation ranges that the networks of a checkpoint need for int8 and do not have."""
    from deep3d.face_model import read_face_model

    missing = [(file, measure) for file, measure in _calibrations(checkpoint) if not file.is_readable]
    if not missing:
        return
    for calibration, _ in missing:
        require_writable(calibration.path)
    model = read_face_model(face_model)
    crops = _synthetic_crops(model)
    for calibration, measure in missing:
        calibration.write(measure(model, crops))
        say(f"{calibration.path}: calibration written")


def _calibrations(checkpoint: Checkpoint) -> list[tuple[Calibration, RangeMeasure]]:
    """Files of ranges of the regressor and of the networks beside it, and how to measure each."""
    from deep3d.dense import UNet, dense_calibration, dense_ranges, read_dense
    from deep3d.refiner import read_refiner, refiner_calibration, refiner_ranges
    from deep3d.regression.regressor import network_input
    from deep3d.runtime.calibration import Calibration, regressor_ranges

    size, refiner, dense = checkpoint.info.crop_size, read_refiner(checkpoint), read_dense(checkpoint)
    found: list[tuple[Calibration, RangeMeasure]] = [
        (Calibration.of(checkpoint), lambda _, crops: regressor_ranges(checkpoint, network_input(crops, size)))
    ]
    if refiner is not None:
        found.append((refiner_calibration(refiner), partial(refiner_ranges, refiner, checkpoint)))
    if dense is not None and isinstance(dense.architecture, UNet):  # a DPT computes in torch
        found.append((dense_calibration(dense, checkpoint), partial(dense_ranges, dense, checkpoint)))
    return found


def _synthetic_crops(model: FaceModel) -> np.ndarray:
    import numpy as np

    from deep3d.synthetic.heads import HeadGenerator

    generator = HeadGenerator(model, seed=8)
    crops = []
    with progress() as bar:
        task = bar.add_task("Rendering heads", total=CALIBRATION_HEADS)
        for _ in range(CALIBRATION_HEADS // HEADS_AT_ONCE):
            crops.append(generator.draw(HEADS_AT_ONCE).crops)
            bar.advance(task, HEADS_AT_ONCE)
    return np.concatenate(crops)


def compile_ahead() -> None:
    """Compile the numeric kernels now, so that the first photo does not wait for them."""
    from deep3d.cli.compiling_ahead import compile_kernels
    from deep3d.cli.output import share_bar

    with share_bar("Compiling numeric kernels") as show:
        for share in compile_kernels():
            show(share)
