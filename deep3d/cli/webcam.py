"""`deep3d webcam`: faces before a camera, in a window, and for VTuber programs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deep3d.cli.drawing import chosen_kinds
from deep3d.cli.options import QualityChoice, QualityOption, RuntimeOption, ThreadsOption
from deep3d.cli.output import say
from deep3d.cli.startup import starting

if TYPE_CHECKING:
    import numpy as np

    from deep3d.face_model import FaceModel
    from deep3d.pipeline.reconstructor import Reconstructor
    from deep3d.video.camera import Timed
    from deep3d.video.live import LiveFace
    from deep3d.video.vmc import VmcSender

WINDOW = "deep3d"
END_KEYS = (ord("q"), 27)  # and Escape


KindOption = Annotated[str, typer.Option("-o", "--kind", help="What to draw; takes the kinds of `deep3d video`.")]
VmcOption = Annotated[
    str | None,
    typer.Option(
        "--vmc", "--osc", metavar="HOST:PORT", help="Send expressions and head to a VTuber program (VMC protocol)."
    ),
]


def webcam(
    camera: Annotated[int, typer.Option(min=0, help="Number of the camera.")] = 0,
    file: Annotated[Path | None, typer.Option(help="Play a video instead, at its own speed.")] = None,
    kind: KindOption = "2d_sparse",
    vmc: VmcOption = None,
    runtime: RuntimeOption = None,
    threads: ThreadsOption = None,
    quality: QualityOption = QualityChoice.NORMAL,
) -> None:
    """Show the faces in front of a camera in a window; q quits.

    Frames that this machine is too slow for are skipped, so the picture is never late. Nothing is stored. Without a
    display, --vmc sends faces all the same; Ctrl-C ends it.
    """
    with starting():
        from deep3d.cli.compiling import compiling_told
        from deep3d.pipeline.reconstructor import Reconstructor
        from deep3d.video.camera import camera_pictures, video_pictures
        from deep3d.video.drawing import KINDS
        from deep3d.video.reading import video_info
        from deep3d.video.vmc import VmcSender

    (drawn, *further) = chosen_kinds(kind, KINDS)
    if further:
        raise typer.BadParameter("a window shows one kind", param_hint="-o")
    if file is not None:
        video_info(file)  # tells at once if it cannot be played
    with nullcontext() if vmc is None else VmcSender(vmc) as send:
        window = _opencv() if vmc is None or _has_display() else None
        if window is None:
            say("No display: faces are sent without a window; Ctrl-C ends it.")
        with camera_pictures(camera) if file is None else video_pictures(file) as pictures:
            with starting(), compiling_told():
                reconstructor = Reconstructor.load(None, None, runtime, threads, quality=quality.value)
            began = time.monotonic()
            count = _show(window, reconstructor, pictures, drawn, send)
        say(f"{count} frames, {count / max(time.monotonic() - began, 1e-6):.1f} a second")


def _show(
    window: Any | None, reconstructor: Reconstructor, pictures: Iterator[Timed], kind: str, send: VmcSender | None
) -> int:
    """Send faces and show them, where there is a window, until pictures end or somebody wants no more; how many."""
    from deep3d.video.live import LiveFaces

    live, count = LiveFaces(reconstructor), 0
    with suppress(KeyboardInterrupt):
        for now, pixels in pictures:
            found = live(pixels, now)
            if send is not None:
                send(found[0] if found else None, now)
            count += 1
            if window is not None and not _shown(window, pixels, found, kind, reconstructor.face_model):
                break
    if window is not None:
        window.destroyAllWindows()
    return count


def _shown(cv2: Any, pixels: np.ndarray, found: Sequence[LiveFace], kind: str, model: FaceModel) -> bool:
    """Draw faces on a picture and show it; whether somebody wants more."""
    from deep3d.export.drawings import PICTURES
    from deep3d.photo import Photo

    photo = Photo(pixels, "camera", "")
    faces = [face.track.face(0, photo, model) for face in found]
    cv2.imshow(WINDOW, cv2.cvtColor(PICTURES[kind](faces, photo), cv2.COLOR_RGB2BGR))
    return not _ended(cv2)


def _ended(cv2: Any) -> bool:
    """Whether somebody wants no more: a key, or the window closed."""
    return cv2.waitKey(1) & 0xFF in END_KEYS or cv2.getWindowProperty(WINDOW, cv2.WND_PROP_VISIBLE) < 1


def _opencv() -> Any:
    """OpenCV, where windows can be shown.

    Raises: ExtraMissing; ConfigError without a display, since OpenCV would end the process.
    """
    from deep3d.errors import ConfigError, ExtraMissing
    from deep3d.video.camera import NO_OPENCV

    try:
        import cv2  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ExtraMissing(NO_OPENCV) from error
    if not _has_display():
        raise ConfigError(
            "no display for a window: DISPLAY is not set; run it on a desktop, or use --vmc, which needs none"
        )
    return cv2


def _has_display() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
