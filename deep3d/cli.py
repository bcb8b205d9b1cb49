"""The `deep3d` command line."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from enum import StrEnum
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deep3d.errors import CheckpointMissing, Deep3DError, OutputNotWritable

if TYPE_CHECKING:
    from rich.progress import Progress

    from deep3d.evaluation import FacePredictor

COMMANDS = "deep3d.commands"  # group of entry points: functions that add commands to `app`

app = typer.Typer(help="One photo in, one textured 3D face out.", no_args_is_help=True, add_completion=False)
training = typer.Typer(help="Train the regressor.", no_args_is_help=True)
app.add_typer(training, name="train")


class FacesOption(StrEnum):
    """Which faces of a photo."""

    LARGEST = "largest"
    ALL = "all"


class HalfOption(StrEnum):
    """Which half of the portraits."""

    TUNE = "tune"
    REPORT = "report"


CheckpointOption = Annotated[Path | None, typer.Option(help="Weights to use instead of the shipped ones.")]
ModelOption = Annotated[Path | None, typer.Option("--model", help="Face model to use instead of the open one.")]
RuntimeOption = Annotated[str, typer.Option(help="What runs the network: eager or torchscript.")]
RefineOption = Annotated[bool, typer.Option(help="Fit each face to its dense landmarks, or give the regressed one.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="Processor threads; all usable cores by default.")]


def main() -> None:
    """Run the command line; errors meant for people become one line and exit code 2."""
    for entry_point in entry_points(group=COMMANDS):
        with suppress(ImportError):  # its extra is not installed
            entry_point.load()(app)
    try:
        app()
    except Deep3DError as error:
        _say(f"deep3d: {error}")
        raise SystemExit(2) from None


@app.command()
def reconstruct(
    photos: Annotated[list[Path], typer.Argument(help="Photos, or folders of photos.", metavar="PHOTO_OR_FOLDER...")],
    out: Annotated[Path, typer.Option(help="Folder for the results; each photo gets a folder of its own in it.")],
    faces: Annotated[FacesOption, typer.Option(help="Only the largest face of a photo, or all.")] = FacesOption.LARGEST,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each photo.")] = False,
    checkpoint: CheckpointOption = None,
    face_model: ModelOption = None,
    runtime: RuntimeOption = "eager",
    threads: ThreadsOption = None,
    refine: RefineOption = True,
) -> None:
    """Turn photos into textured 3D faces: face.glb, face.obj, face.ply, face.json, overlay.jpg and more.

    Exit code 0 when every photo gave a face, 1 when some did not, 2 for wrong usage.
    """
    from deep3d.batch import reconstruct_into, result_folders
    from deep3d.photo import find_photos
    from deep3d.reconstruct import Reconstructor

    found = find_photos(photos)
    _make_folder(out)
    reconstructor = Reconstructor.load(checkpoint, face_model, runtime, threads, refine=refine)
    names = result_folders(found)
    for path, name in zip(found, names):
        if name != path.stem:
            _say(f"{path}: another photo of that name is in this call, its results go to {name}")
    failures = 0
    with _progress() as bar:
        task = bar.add_task("Reconstructing", total=len(found))
        for report in reconstruct_into(reconstructor, found, [out / name for name in names], faces.value):
            failures += report.error is not None
            bar.advance(task)
            if report.error is not None:
                _say(f"deep3d: {report.error}")
            elif not as_json:
                _say(f"{report.photo}: {', '.join(str(face.folder) for face in report.faces)}")
            if as_json:
                sys.stdout.write(json.dumps(report.to_json()) + "\n")
                sys.stdout.flush()
    raise typer.Exit(1 if failures else 0)


@app.command()
def fit(
    photo: Annotated[Path, typer.Argument(help="The photo.")],
    landmarks: Annotated[Path, typer.Argument(help="Its 68 landmarks: .pts, .json, .txt, .csv or .npy.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; the photo gets a folder of its own in it.")],
    face_model: ModelOption = None,
) -> None:
    """Fit a face to 68 landmarks from anywhere, without detector and network; the files are those of reconstruct."""
    from deep3d.export import write_results
    from deep3d.face_model import default_face_model, read_face_model
    from deep3d.fitting import fit_photo, read_landmarks68
    from deep3d.photo import read_photo

    model = default_face_model() if face_model is None else read_face_model(face_model)
    face = fit_photo(read_photo(photo), read_landmarks68(landmarks), model)
    _make_folder(out)
    write_results(face, out / photo.stem)
    _say(f"{photo}: {out / photo.stem}")


@app.command()
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

    _require_writable(out)
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
            _say(f"deep3d: {error}; until then only the mean face is measured")
    with _progress() as bar:
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
    _write_json(out, report.to_json())


@app.command()
def bench(
    photo: Annotated[Path, typer.Argument(help="Photo to measure with.")],
    rounds: Annotated[int, typer.Option(min=1, help="How often each part is repeated; the median counts.")] = 12,
    out: Annotated[Path | None, typer.Option(help="Write the figures as JSON into this file.")] = None,
) -> None:
    """Time the way from a photo to its files, and the tools along it, on this machine."""
    from deep3d.bench import run_bench

    _require_writable(out)
    report = run_bench(photo, rounds, lambda part: _say(f"Measuring: {part}"))
    sys.stdout.write(report.to_markdown())
    _write_json(out, report.to_json())


@training.command()
def synthetic(
    config: Annotated[Path, typer.Argument(help="TOML file, such as checkpoints/resnet50.toml.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; an earlier run in it is continued.")],
    name: Annotated[str, typer.Option(help="Name of the checkpoint that is written in the end.")] = "deep3d_resnet50",
    face_model: ModelOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Train the regressor on synthetic heads; stop it at any time and call it again to go on."""
    from deep3d.training.command import train_and_export

    with _progress() as bar:
        task = bar.add_task("Training")

        def advance(step: int, total: int, loss: float) -> None:
            bar.update(task, completed=step, total=total, description=f"Training, loss {loss:.2f}")

        path = train_and_export(config, out, name, face_model, threads, advance)
    _say(f"{path}: checkpoint written")


@training.command()
def record(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    report: Annotated[Path, typer.Option(help="What `deep3d evaluate --out` wrote of its checkpoint.")],
    name: Annotated[str, typer.Option(help="Name of the checkpoint.")] = "deep3d_resnet50",
) -> None:
    """Write the measured accuracy into the checkpoints of a run."""
    from deep3d.training.command import record_accuracy

    _say(f"{record_accuracy(run, name, report)}: accuracy recorded")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputNotWritable(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error


def _require_writable(path: Path | None) -> None:
    """Before the long work whose figures are to be written there."""
    if path is None:
        return
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise OutputNotWritable(f"{path}: no file can be written there; choose another place")


def _write_json(path: Path | None, content: dict[str, Any]) -> None:
    if path is not None:
        try:
            path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise OutputNotWritable(f"{path}: cannot be written ({error.strerror}); choose another place") from error


def _progress() -> Progress:
    """A progress bar on standard error; what goes to a pipe or file on standard output keeps going there."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty())


def _say(line: str) -> None:
    typer.echo(line, err=True)
