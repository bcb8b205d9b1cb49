"""`deep3d train ...`: make checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deep3d.cli.options import ModelOption, ThreadsOption
from deep3d.cli.output import progress, say


def synthetic(
    config: Annotated[Path, typer.Argument(help="TOML file, such as checkpoints/resnet50.toml.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; an earlier run in it is continued.")],
    name: Annotated[str, typer.Option(help="Name of the checkpoint that is written in the end.")] = "deep3d_resnet50",
    face_model: ModelOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Train the regressor on synthetic heads; stop it at any time and call it again to go on."""
    from deep3d.training.command import train_and_export

    with progress() as bar:
        task = bar.add_task("Training")

        def advance(step: int, total: int, loss: float) -> None:
            bar.update(task, completed=step, total=total, description=f"Training, loss {loss:.2f}")

        path = train_and_export(config, out, name, face_model, threads, advance)
    say(f"{path}: checkpoint written")


def record(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    report: Annotated[Path, typer.Option(help="What `deep3d evaluate --out` wrote of its checkpoint.")],
    name: Annotated[str, typer.Option(help="Name of the checkpoint.")] = "deep3d_resnet50",
) -> None:
    """Write the measured accuracy into the checkpoints of a run."""
    from deep3d.training.command import record_accuracy

    say(f"{record_accuracy(run, name, report)}: accuracy recorded")
