"""`deep3d relight`: pictures of a face in other lights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deep3d.cli.options import ModelOption
from deep3d.cli.output import results_folder, say, write_whole
from deep3d.cli.startup import starting


def relight(
    result: Annotated[Path, typer.Argument(help="Folder of one face, written by reconstruct --material.")],
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")],
    environment: Annotated[
        list[str],
        typer.Option(help="Light: overcast, studio, window, sunset, night, or a .hdr file. Repeat for several."),
    ] = ["studio"],  # noqa: B006
    yaw: Annotated[str, typer.Option(help="Angles of the head in degrees, separated by commas.")] = "-40,0,40",
    size: Annotated[int, typer.Option(min=64, max=4096, help="Pixels a side.")] = 1024,
    face_model: ModelOption = None,
) -> None:
    """Draw a face in another light: LIGHT_YAW.jpg for each light and angle."""
    with starting():
        from deep3d.camera import Pose
        from deep3d.drawing import relight as draw
        from deep3d.export.images import jpeg
        from deep3d.export.material import read_relightable
        from deep3d.face_model import read_face_model
        from deep3d.material import environment as panorama

    angles = _angles(yaw)
    lights = {Path(name).stem: panorama(name) for name in environment}
    head = read_relightable(result, read_face_model(face_model))
    with results_folder(out):
        for name, light in lights.items():
            for angle in angles:
                path = out / f"{name}_{angle:g}.jpg"
                write_whole(path, jpeg(draw(head, light, Pose(angle, 0, 0), size)))
                say(str(path))


def _angles(text: str) -> list[float]:
    """The numbers in a text with commas between them.

    Raises: typer.BadParameter.
    """
    try:
        angles = [float(word) for word in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{text!r}: give angles like -40,0,40", param_hint="--yaw") from None
    if not all(abs(angle) <= 180 for angle in angles):
        raise typer.BadParameter(f"{text!r}: angles go from -180 to 180", param_hint="--yaw")
    return angles
