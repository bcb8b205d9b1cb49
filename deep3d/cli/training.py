"""`deep3d train ...`: make checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deep3d.cli.options import ModelOption, ThreadsOption
from deep3d.cli.output import progress, require_writable, say
from deep3d.errors import ExtraMissing

if TYPE_CHECKING:
    from rich.progress import TaskID

    from deep3d.training.call import TrainingCall


class DeviceOption(StrEnum):
    """What computes."""

    CPU = "cpu"
    CUDA = "cuda"


TrainingDeviceOption = Annotated[DeviceOption, typer.Option(help="Device to train on.")]
RunOption = Annotated[
    Path, typer.Option("--out", help="Folder of the run. If it holds an earlier run, that run continues.")
]
NameOption = Annotated[str, typer.Option(help="Name of the checkpoint written at the end.")]


def _config(example: str) -> Any:
    return typer.Argument(help=f"TOML file, such as checkpoints/{example}.")


def synthetic(
    config: Annotated[Path, _config("resnet50.toml")],
    run: RunOption,
    name: NameOption = "deep3d_resnet50",
    face_model: ModelOption = None,
    threads: ThreadsOption = None,
    device: TrainingDeviceOption = DeviceOption.CPU,
) -> None:
    """Train the regressor on synthetic heads. Stop it at any time; the same command resumes.

    For several GPUs or machines: torchrun --nproc-per-node 8 -m deep3d train synthetic ...
    """
    with _packages():
        from deep3d.training.regressor.command import train_and_export

    with _call(config, run, face_model, threads, device) as call:
        _say_written(train_and_export(call, name), "checkpoint")


def weak(
    config: Annotated[Path, _config("weak.toml")],
    run: RunOption,
    name: NameOption = "deep3d_weak",
    face_model: ModelOption = None,
    threads: ThreadsOption = None,
    device: TrainingDeviceOption = DeviceOption.CPU,
) -> None:
    """Fine-tune a checkpoint on photos with landmarks (weak supervision). Stop at any time; the same command resumes.

    For several GPUs or machines: torchrun --nproc-per-node 8 -m deep3d train weak ...
    """
    with _packages():
        from deep3d.training.weak.command import fine_tune_and_export

    if device is DeviceOption.CUDA and find_spec("nvdiffrast") is None:
        say("nvdiffrast is not installed: the network trains on the GPU, but faces are rendered on the CPU")
    with _call(config, run, face_model, threads, device) as call:
        _say_written(fine_tune_and_export(call, name), "checkpoint")


def refiner(
    config: Annotated[Path, _config("refiner.toml")],
    run: RunOption,
    face_model: ModelOption = None,
    threads: ThreadsOption = None,
    device: TrainingDeviceOption = DeviceOption.CPU,
) -> None:
    """Train the refiner, which corrects dense landmarks. Put its file beside the checkpoint."""
    with _packages():
        from deep3d.training.refiner.command import train_and_export_refiner

    with _call(config, run, face_model, threads, device) as call:
        _say_written(train_and_export_refiner(call), "refiner")


def dense(
    config: Annotated[Path, _config("dense.toml")],
    run: RunOption,
    face_model: ModelOption = None,
    threads: ThreadsOption = None,
    device: TrainingDeviceOption = DeviceOption.CPU,
) -> None:
    """Train the network for depth and normals. Put its file beside the checkpoint."""
    with _packages():
        from deep3d.training.dense.command import train_and_export_dense

    with _call(config, run, face_model, threads, device) as call:
        _say_written(train_and_export_dense(call), "dense network")


def expressions(
    out: Annotated[Path, typer.Option(help="File to write, .safetensors.")],
    checkpoint: Annotated[Path | None, typer.Option(help="Checkpoint to use instead of the shipped one.")] = None,
    heads: Annotated[int, typer.Option(help="Synthetic heads.", min=100)] = 1000,
    portraits: Annotated[
        Path | None, typer.Option(help="Portraits with landmarks: how real faces differ, by the even-numbered ones.")
    ] = None,
    face_model: ModelOption = None,
) -> None:
    """Measure on synthetic heads how a checkpoint responds to each named expression; face.glb's weights need it."""
    from deep3d.datasets.frozen import read_portraits
    from deep3d.photo import read_photo
    from deep3d.pipeline.reconstructor import Reconstructor
    from deep3d.training.expressions import measure_response, real_answers, with_real_faces, write_response

    require_writable(out)
    photos = read_portraits(portraits, "tune").photos if portraits else ()
    reconstructor = Reconstructor.load(checkpoint, face_model)
    with progress() as bar:
        task = bar.add_task("Rendering and reconstructing heads", total=None)
        arrays = measure_response(
            reconstructor, heads, 0, lambda done, total: bar.update(task, completed=done, total=total)
        )
        if photos:
            real = real_answers(
                reconstructor, map(read_photo, bar.track(photos, description="Reconstructing portraits"))
            )
            arrays = with_real_faces(arrays, real, reconstructor.face_model.expression_names)
    write_response(out, arrays, reconstructor.checkpoint.sha256)
    say(f"{out}: expression response written")


def record(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    report: Annotated[Path, typer.Option(help="JSON report that `deep3d evaluate --out` wrote for its checkpoint.")],
    name: Annotated[str, typer.Option(help="Name of the checkpoint.")] = "deep3d_resnet50",
) -> None:
    """Write the measured accuracy into the checkpoints of a run."""
    with _packages():
        from deep3d.training.regressor.command import record_accuracy

    say(f"{record_accuracy(run, name, report)}: accuracy recorded")


@contextmanager
def _packages() -> Iterator[None]:
    """Imports that need the training extras."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ExtraMissing(f"train: needs the package {error.name}; pip install 'deep3d[torch,train]'") from error


@contextmanager
def _call(
    config: Path, run: Path, face_model: Path | None, threads: int | None, device: DeviceOption
) -> Iterator[TrainingCall]:
    """The arguments, with a progress bar that appears at the first step: only the leading process takes steps."""
    from deep3d.training.call import TrainingCall

    with progress() as bar:
        tasks: list[TaskID] = []

        def advance(step: int, total: int, loss: float) -> None:
            if not tasks:
                tasks.append(bar.add_task("Training"))
            bar.update(tasks[0], completed=step, total=total, description=f"Training, loss {loss:.2f}")

        yield TrainingCall(config, run, face_model, threads, device.value, advance)


def _say_written(path: Path | None, what: str) -> None:
    """One message for all processes: those that do not lead have no path."""
    if path is not None:
        say(f"{path}: {what} written")
