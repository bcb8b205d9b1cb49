"""`deep3d depth`: from photos to depth maps, normals and meshes of the visible surface."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated

import typer

from deep3d.cli.faces import FacesOption
from deep3d.cli.options import CheckpointOption, ModelOption, PrecisionOption, RuntimeOption, ThreadsOption
from deep3d.cli.output import results_folder, tell_written
from deep3d.cli.startup import starting

if TYPE_CHECKING:
    from deep3d.reconstruction import Reconstruction


def depth(
    photos: Annotated[list[Path], typer.Argument(help="Photos or folders of photos.", metavar="PHOTO_OR_FOLDER...")],
    out: Annotated[Path, typer.Option(help="Folder for the results. Each photo gets its own folder in it.")],
    faces: Annotated[
        FacesOption, typer.Option(help="Use only the largest face of each photo, or all of them.")
    ] = FacesOption.LARGEST,
    fill_holes: Annotated[
        bool, typer.Option("--fill-holes", help="Close the mesh where something covers the face.")
    ] = False,
    checkpoint: CheckpointOption = None,
    face_model: ModelOption = None,
    runtime: RuntimeOption = None,
    precision: PrecisionOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Write depth maps of photos: depth.png (16 bits), depth.npy (millimetres), normals.png and depth_mesh.obj.

    Exit codes: 0 if every photo gave a face, 1 if some failed, 2 for wrong usage.
    """
    with starting():
        from deep3d.cli.compiling import compiling_told
        from deep3d.dense import DenseEstimator
        from deep3d.export import write_depths
        from deep3d.photo import find_photos
        from deep3d.pipeline.batch import map_faces, result_folders
        from deep3d.pipeline.depth import look_closer
        from deep3d.pipeline.reconstructor import Reconstructor

    found = find_photos(photos)
    with results_folder(out):
        with starting(), compiling_told():
            reconstructor = Reconstructor.load(checkpoint, face_model, runtime, threads, precision)
            model = reconstructor.face_model
            estimator = DenseEstimator.beside(reconstructor.checkpoint.path, model, runtime, threads, precision)
        names, one_at_a_time = result_folders(found), Lock()

        def work(number: int, results: list[Reconstruction]) -> list[Path]:
            with one_at_a_time:  # a network has one set of activations
                maps = look_closer(estimator, results)
            return write_depths(results, maps, out / names[number], fill_holes)

        tell_written("Computing depth", found, map_faces(reconstructor, found, work, faces.value))
