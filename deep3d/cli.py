"""The `deep3d` command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deep3d.errors import Deep3DError

if TYPE_CHECKING:
    from deep3d.photo import Photo
    from deep3d.reconstruct import Reconstructor
    from deep3d.reconstruction import Reconstruction

BATCH = 8  # photos held in memory and sent through the network together

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
ThreadsOption = Annotated[int | None, typer.Option(help="Processor threads; all usable cores by default.")]


def main() -> None:
    """Run the command line; errors meant for people become one line and exit code 2."""
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
) -> None:
    """Turn photos into textured 3D faces: face.glb, face.obj, face.ply, face.json, overlay.jpg and more.

    Exit code 0 when every photo gave a face, 1 when some did not, 2 for wrong usage.
    """
    from deep3d.photo import find_photos
    from deep3d.reconstruct import Reconstructor

    found = find_photos(photos)
    _make_folder(out)
    reconstructor = Reconstructor.load(checkpoint, face_model, runtime, threads)
    failures = 0
    with _progress() as bar:
        task = bar.add_task("Reconstructing", total=len(found))
        for report in _reconstruct_all(reconstructor, found, out, faces):
            failures += report["error"] is not None
            bar.advance(task)
            if report["error"] is not None:
                _say(f"deep3d: {report['error']}")
            elif not as_json:
                _say(f"{report['photo']}: {', '.join(face['folder'] for face in report['faces'])}")
            if as_json:
                sys.stdout.write(json.dumps(report) + "\n")
                sys.stdout.flush()
    raise typer.Exit(1 if failures else 0)


@app.command()
def evaluate(
    portraits: Annotated[Path | None, typer.Option(help="Folder of portraits with reference landmarks.")] = None,
    heads: Annotated[Path | None, typer.Option(help="Folder of synthetic heads with scans.")] = None,
    half: Annotated[HalfOption, typer.Option(help="Which half of the portraits is measured.")] = HalfOption.REPORT,
    out: Annotated[Path | None, typer.Option(help="Write the figures as JSON into this file.")] = None,
    alignments: Annotated[int, typer.Option(min=1, max=3, help="How often a face is cropped and predicted.")] = 2,
    checkpoint: CheckpointOption = None,
    face_model: ModelOption = None,
    runtime: RuntimeOption = "eager",
    threads: ThreadsOption = None,
) -> None:
    """Measure landmarks and shape against the frozen sets, with the mean face as the first row."""
    from deep3d.evaluation.predictor import ReconstructorPredictor
    from deep3d.evaluation.run import run_evaluation
    from deep3d.reconstruct import Reconstructor

    reconstructor = Reconstructor.load(checkpoint, face_model, runtime, threads, alignments=alignments)
    predictor = ReconstructorPredictor(reconstructor)
    with _progress() as bar:
        tasks: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done)

        report = run_evaluation(portraits, heads, predictor, half.value, advance)
    sys.stdout.write(report.to_markdown() + "\n")
    if out is not None:
        out.write_text(json.dumps(report.to_json(), indent=1) + "\n")


@app.command()
def bench(
    photo: Annotated[Path, typer.Argument(help="Photo to measure with.")],
    rounds: Annotated[int, typer.Option(min=1, help="How often each part is repeated; the median counts.")] = 12,
    out: Annotated[Path | None, typer.Option(help="Write the figures as JSON into this file.")] = None,
) -> None:
    """Time the way from a photo to its files, and the tools along it, on this machine."""
    from deep3d.bench import run_bench

    report = run_bench(photo, rounds, lambda part: _say(f"Measuring: {part}"))
    sys.stdout.write(report.to_markdown())
    if out is not None:
        out.write_text(json.dumps(report.to_json(), indent=1) + "\n")


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


def _reconstruct_all(
    reconstructor: Reconstructor, paths: list[Path], out: Path, faces: FacesOption
) -> Iterator[dict[str, Any]]:
    """One report for each photo, in order; a photo that fails does not touch the others."""
    from deep3d.photo import read_photo

    folders = _folder_names(paths)
    for start in range(0, len(paths), BATCH):
        batch: list[tuple[Path, Photo | Deep3DError]] = []
        for path in paths[start : start + BATCH]:
            try:
                batch.append((path, read_photo(path)))
            except Deep3DError as error:
                batch.append((path, error))
        good = [photo for _, photo in batch if not isinstance(photo, Deep3DError)]
        results = iter(reconstructor.reconstruct(good, faces.value))
        for number, (path, photo) in enumerate(batch, start):
            folder = out / folders[number]
            if isinstance(photo, Deep3DError):
                yield _report(path, folder, [], [], str(photo))
            else:
                yield _write(path, folder, next(results))


def _write(path: Path, folder: Path, faces: list[Reconstruction]) -> dict[str, Any]:
    from deep3d.export import write_faces

    if not faces:
        return _report(path, folder, [], [], f"{path}: no face found; use a photo in which a face is larger or bare")
    try:
        return _report(path, folder, faces, write_faces(faces, folder), None)
    except Deep3DError as error:
        return _report(path, folder, [], [], str(error))


def _report(
    path: Path, folder: Path, faces: list[Reconstruction], folders: list[Path], error: str | None
) -> dict[str, Any]:
    return {
        "photo": str(path),
        "folder": str(folder),
        "faces": [
            {
                "folder": str(where),
                "score": round(float(face.detection.score), 4),
                "pose": {"yaw": face.pose.yaw, "pitch": face.pose.pitch, "roll": face.pose.roll},
            }
            for face, where in zip(faces, folders)
        ],
        "error": error,
    }


def _folder_names(paths: list[Path]) -> list[str]:
    """A folder name for each photo: its stem, with -2, -3, ... where an earlier photo has it; told aloud."""
    taken: set[str] = set()
    names = []
    for path in paths:
        name, number = path.stem, 1
        while name in taken:
            number += 1
            name = f"{path.stem}-{number}"
        if number > 1:
            _say(f"{path}: another photo of that name is in this call, its results go to {name}")
        taken.add(name)
        names.append(name)
    return names


def _make_folder(folder: Path) -> None:
    from deep3d.errors import OutputNotWritable

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputNotWritable(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error


def _progress() -> Any:
    """A progress bar on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _say(line: str) -> None:
    typer.echo(line, err=True)
