"""`deep3d draw`: pictures of the faces in photos, of every kind."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deep3d.cli.options import (
    CheckpointOption,
    ModelOption,
    NoRefineOption,
    PrecisionOption,
    QualityChoice,
    QualityOption,
    RefineOption,
    RuntimeOption,
    ThreadsOption,
    refinement,
)
from deep3d.cli.output import results_folder, tell_written
from deep3d.cli.startup import starting

if TYPE_CHECKING:
    from collections.abc import Collection

    from deep3d.reconstruction import Reconstruction


class LookChoice(StrEnum):
    """`drawing.LOOKS`, known before anything is loaded."""

    PHOTO = "photo"
    CLAY = "clay"
    SKIN = "skin"
    NORMALS = "normals"
    RELIT = "relit"


KINDS_HELP = (
    "What to draw, separated by commas: 2d_sparse, 2d_dense, 3d, depth, pncc, uv_tex, pose, ply, obj, normals, albedo, "
    "wireframe, error, uncertainty, turntable."
)


def draw(
    photos: Annotated[list[Path], typer.Argument(help="Photos or folders of photos.", metavar="PHOTO_OR_FOLDER...")],
    out: Annotated[Path, typer.Option(help="Folder for the pictures, named PHOTO_KIND.jpg and so on.")],
    kinds: Annotated[str, typer.Option("-o", "--kinds", help=KINDS_HELP)] = "2d_sparse",
    look: Annotated[
        LookChoice, typer.Option(help="What the surface of a turntable shows; relit takes the photo's light off.")
    ] = LookChoice.PHOTO,
    light: Annotated[
        str, typer.Option(help="Of a relit turntable: overcast, studio, window, sunset, night, or a .hdr file.")
    ] = "studio",
    checkpoint: CheckpointOption = None,
    face_model: ModelOption = None,
    runtime: RuntimeOption = None,
    precision: PrecisionOption = None,
    threads: ThreadsOption = None,
    quality: QualityOption = QualityChoice.NORMAL,
    refine: RefineOption = None,
    no_refine: NoRefineOption = False,
) -> None:
    """Draw landmarks, mesh, depth, pose and more over photos; one picture shows all faces of a photo.

    Exit codes: 0 if every photo gave a face, 1 if some failed, 2 for wrong usage.
    """
    with starting():
        from deep3d.cli.compiling import compiling_told
        from deep3d.export.drawings import KINDS, write_drawings
        from deep3d.material import environment
        from deep3d.photo import find_photos
        from deep3d.pipeline.batch import map_faces, result_folders
        from deep3d.pipeline.reconstructor import Reconstructor

    chosen, panorama = chosen_kinds(kinds, KINDS), environment(light)
    found = find_photos(photos)
    with results_folder(out):
        with starting(), compiling_told():
            reconstructor = Reconstructor.load(
                checkpoint,
                face_model,
                runtime,
                threads,
                precision,
                refinement=refinement(refine, no_refine),
                quality=quality.value,
                hair="shell" if "turntable" in chosen else "none",
            )
        names = result_folders(found)

        def work(number: int, faces: list[Reconstruction]) -> list[Path]:
            return write_drawings(faces, out / names[number], chosen, look.value, panorama)

        tell_written("Drawing", found, map_faces(reconstructor, found, work, "all"))


def chosen_kinds(text: str, kinds: Collection[str], option: str = "-o") -> list[str]:
    """The names in a text with commas between them, each once.

    Raises: typer.BadParameter.
    """
    names = [*dict.fromkeys(name.strip() for name in text.split(","))]
    for name in names:
        if name not in kinds:
            raise typer.BadParameter(f"{name!r} is unknown, choose from {', '.join(kinds)}.", param_hint=option)
    return names
