"""`deep3d reconstruct` and `deep3d fit`: from photos to faces."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from deep3d.cli.options import (
    CheckpointOption,
    HairOption,
    ModelOption,
    NoRefineOption,
    PrecisionOption,
    QualityChoice,
    QualityOption,
    Refine,
    RefineOption,
    RuntimeOption,
    ThreadsOption,
    refinement,
)
from deep3d.cli.output import progress, results_folder, say
from deep3d.cli.startup import starting

if TYPE_CHECKING:
    from deep3d.pipeline.batch import PhotoReport

MERGED = "merged"  # folder of the face estimated from all photos of a person


class FacesOption(StrEnum):
    """Which faces of a photo."""

    LARGEST = "largest"
    ALL = "all"


class PlacementOption(StrEnum):
    """Convention of a list of 68 landmarks."""

    FIXED = "fixed"
    CONTOUR = "contour"
    MEDIAPIPE = "mediapipe"


def reconstruct(
    photos: Annotated[list[Path], typer.Argument(help="Photos or folders of photos.", metavar="PHOTO_OR_FOLDER...")],
    out: Annotated[Path, typer.Option(help="Folder for the results. Each photo gets its own folder in it.")],
    faces: Annotated[
        FacesOption, typer.Option(help="Use only the largest face of each photo, or all of them.")
    ] = FacesOption.LARGEST,
    same_person: Annotated[
        bool,
        typer.Option(
            "--same-person", help="All photos show one person: estimate one identity and write a merged face."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON per photo.")] = False,
    checkpoint: CheckpointOption = None,
    face_model: ModelOption = None,
    runtime: RuntimeOption = None,
    precision: PrecisionOption = None,
    threads: ThreadsOption = None,
    quality: QualityOption = QualityChoice.NORMAL,
    refine: RefineOption = None,
    no_refine: NoRefineOption = False,
    linear: Annotated[
        bool, typer.Option("--linear", help="Stay within the linear face model, even with --quality best.")
    ] = False,
    hair: Annotated[
        HairOption | None,
        typer.Option(
            help="shell: the hair as a mesh of its own; none: the head alone.",
            show_default="shell, none with --quality fast",
        ),
    ] = None,
    material: Annotated[
        bool,
        typer.Option("--material", help="Also take the photo's light off: face_material.glb, its maps and the light."),
    ] = False,
    formats: Annotated[
        str, typer.Option(help="What to write, separated by commas: overlay, obj, glb, ply, json, mat, material.")
    ] = "overlay,obj,glb,ply,json",
) -> None:
    """Reconstruct textured 3D faces from photos: face.glb, face.obj, face.ply, face.json, overlay.jpg and more.

    Exit codes: 0 if every photo gave a face, 1 if some failed, 2 for wrong usage.
    """
    with starting():
        from deep3d.cli.compiling import compiling_told
        from deep3d.photo import find_photos
        from deep3d.pipeline.batch import LONGEST_NAME, reconstruct_into, reconstruct_person_into, result_folders
        from deep3d.pipeline.reconstructor import Reconstructor

    chosen = _chosen(f"{formats},material" if material else formats)
    if same_person and faces == FacesOption.ALL:
        raise typer.BadParameter("--same-person uses the largest face of each photo; drop --faces all")
    if linear and refine == Refine.SURFACE:
        raise typer.BadParameter("--refine surface leaves the linear model; drop it or --linear")
    found = find_photos(photos)
    with results_folder(out):
        fitted_to = refinement(refine, no_refine)
        if linear and quality == QualityChoice.BEST:
            fitted_to = fitted_to or "photometric"
        with starting(), compiling_told():
            reconstructor = Reconstructor.load(
                checkpoint,
                face_model,
                runtime,
                threads,
                precision,
                refinement=fitted_to,
                quality=quality.value,
                hair=(hair or (HairOption.NONE if quality == QualityChoice.FAST else HairOption.SHELL)).value,
            )
        merged, *names = result_folders([Path(MERGED), *found]) if same_person else ["", *result_folders(found)]
        folders = [out / name for name in names]
        for path, name in zip(found, names):
            if name != path.stem:
                long = len(os.fsencode(path.stem)) > LONGEST_NAME
                reason = "its name is too long" if long else "another photo has the same name"
                say(f"{path}: {reason}; results go to {name}")
        if same_person:
            reports = reconstruct_person_into(reconstructor, found, folders, out / merged, chosen)
        else:
            reports = reconstruct_into(reconstructor, found, folders, faces.value, chosen)
        _tell(reports, len(found) + same_person, as_json)


def _tell(reports: Iterable[PhotoReport], number: int, as_json: bool) -> NoReturn:
    """Say how each photo went, below a progress bar.

    Raises: typer.Exit, with 1 if any failed, otherwise 0.
    """
    failures = 0
    with progress() as bar:
        task = bar.add_task("Reconstructing", total=number)
        for report in reports:
            failures += report.error is not None
            bar.advance(task)
            if report.error is not None:
                say(f"deep3d: {report.error}")
            for note in report.notes:
                say(f"deep3d: {note}")
            if report.error is None and not as_json:
                say(f"{report.photo}: {', '.join(str(face.folder) for face in report.faces)}")
            if as_json:
                sys.stdout.write(json.dumps(report.to_json()) + "\n")
                sys.stdout.flush()
    raise typer.Exit(1 if failures else 0)


def _chosen(formats: str) -> list[str]:
    """The names in a text with commas between them.

    Raises: typer.BadParameter.
    """
    from deep3d.export import FORMATS

    names = [name.strip() for name in formats.split(",")]
    for name in names:
        if name not in FORMATS:
            raise typer.BadParameter(f"{name!r} is unknown, choose from {', '.join(FORMATS)}.", param_hint="--formats")
    return names


def fit(
    photo: Annotated[Path, typer.Argument(help="The photo.")],
    landmarks: Annotated[Path, typer.Argument(help="Its 68 landmarks: .pts, .json, .txt, .csv or .npy.")],
    out: Annotated[Path, typer.Option(help="Folder for the results. The photo gets its own folder in it.")],
    placement: Annotated[
        PlacementOption | None,
        typer.Option(
            help="Landmark convention: fixed (AFLW2000-3D), contour (300-W, dlib) or mediapipe; guessed by default."
        ),
    ] = None,
    face_model: ModelOption = None,
) -> None:
    """Fit a face to 68 given landmarks, without detector or network. Writes the same files as reconstruct."""
    with starting():
        from deep3d.cli.compiling import compiling_told
        from deep3d.export import write_results
        from deep3d.face_model import read_face_model
        from deep3d.fitting import read_landmarks68, told_placement
        from deep3d.photo import read_photo
        from deep3d.pipeline.batch import result_folders
        from deep3d.pipeline.from_landmarks import fit_photo

    model = read_face_model(face_model)
    with compiling_told():
        points = read_landmarks68(landmarks)
        told = placement.value if placement else told_placement(landmarks)
        face = fit_photo(read_photo(photo), points, model, told)
    with results_folder(out):
        (name,) = result_folders([photo])
        write_results(face, out / name)
        say(f"{photo}: {out / name}")
