"""The `deep3d` command line: one module per group of commands, which import what they need when called."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from importlib.metadata import entry_points, version
from typing import Annotated

import typer

from deep3d.cli.depth import depth
from deep3d.cli.drawing import draw
from deep3d.cli.evaluation import evaluate
from deep3d.cli.faces import fit, reconstruct
from deep3d.cli.measuring import bench
from deep3d.cli.models import decode, import_model, import_weights, rebind_weights
from deep3d.cli.output import say
from deep3d.cli.relighting import relight
from deep3d.cli.runtimes import compile_ahead, export, tune
from deep3d.cli.training import dense, expressions, record, refiner, synthetic, weak
from deep3d.cli.video import video
from deep3d.cli.webcam import webcam
from deep3d.errors import Deep3DError

COMMANDS = "deep3d.commands"  # group of entry points: functions that add commands to `app`


def _group(about: str, *commands, **named) -> typer.Typer:
    """Commands that are called like their functions, or by another name."""
    group = typer.Typer(help=about, no_args_is_help=True, add_completion=False)
    for name, command in [*((None, command) for command in commands), *named.items()]:
        group.command(name)(command)
    return group


app = _group(
    "One photo in, one textured 3D face out.",
    *(reconstruct, relight, draw, video, webcam, depth, fit, decode, evaluate, bench, tune, export),
)
app.command("compile")(compile_ahead)
app.add_typer(_group("Train the networks.", synthetic, weak, refiner, dense, expressions, record), name="train")
app.add_typer(_group("Face models.", **{"import": import_model}), name="model")
app.add_typer(_group("Trained weights.", **{"import": import_weights, "rebind": rebind_weights}), name="checkpoint")


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"deep3d {version('deep3d')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """One photo in, one textured 3D face out."""


def main() -> None:
    """Run the command line; a Deep3DError becomes one line and exit code 2."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's: for matrices this small, more threads only wait
    warnings.filterwarnings("ignore", module=r"PIL\.")  # of damaged files: our own lines say what is wrong with them
    for entry_point in entry_points(group=COMMANDS):
        with suppress(ImportError):  # its extra is not installed
            entry_point.load()(app)
    try:
        app()
    except Deep3DError as error:
        say(f"deep3d: {error}")
        raise SystemExit(2) from None
