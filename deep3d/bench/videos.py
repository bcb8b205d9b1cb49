"""Videos, drawings and qualities: frames per second, and the time that each quality takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from deep3d.bench.figures import Figure, Section, compared, figure
from deep3d.bench.photos import Pipeline
from deep3d.bench.timing import once, race
from deep3d.export.drawings import PICTURES
from deep3d.photo import Photo, read_photo
from deep3d.pipeline.reconstructor import QUALITIES, Reconstructor
from deep3d.pipeline.stopwatch import Stopwatch
from deep3d.runtime.cores import one_blas_thread
from deep3d.synthetic.clips import DrawnClip, crossing_clip, talking_clip
from deep3d.video.drawing import draw_video
from deep3d.video.request import VideoRequest
from deep3d.video.writing import written_piece

FRAMES = 300  # of the clips, ten seconds
VIDEO_SIZE = (1280, 720)
PHOTO_SIZE = (1920, 1080)


def quality_section(content: bytes, peers: dict[str, Pipeline], base: str | None, rounds: int) -> Section:
    """Photo bytes to 68 landmarks and vertices by each quality, in turns with other programs."""
    contestants: dict[str, Callable[[], object]] = {
        f"--quality {quality}": partial(_landmarks, Reconstructor.load(quality=quality), content)
        for quality in QUALITIES
    }
    contestants["--quality normal, up to its landmarks"] = partial(_seen_landmarks, Reconstructor.load(), content)
    contestants |= {name: partial(pipeline, content) for name, pipeline in peers.items()}
    height, width = read_photo(content).pixels.shape[:2]
    title = f"Photo of {width} x {height} pixels by quality, from bytes to 68 landmarks and vertices"
    return Section(title, tuple(compared(race(contestants, rounds), base)), base)


def drawing_section(reconstructor: Reconstructor, rounds: int) -> Section:
    """A picture of each kind of a face in a photo of 1920 x 1080 pixels."""
    clip = talking_clip(reconstructor.face_model, 1, size=PHOTO_SIZE)
    photo = Photo(clip.frame(0), "drawn", "")
    face = reconstructor(photo)
    actions = {kind: partial(_drawn, draw, face, photo) for kind, draw in PICTURES.items()}
    return Section("Drawing one face on 1920 x 1080 pixels", tuple(compared(race(actions, rounds), None)))


def video_section(reconstructor: Reconstructor, folder: Path, rounds: int) -> Section:
    """Frames a second from decoding to encoding, identity and curves included, of drawn clips of ten seconds."""
    model = reconstructor.face_model
    one = _written(folder / "one.mp4", talking_clip(model, FRAMES, size=VIDEO_SIZE))
    three = _written(folder / "three.mp4", crossing_clip(model, FRAMES, size=VIDEO_SIZE))
    runs = [
        ("one face, 2d_sparse", one, "2d_sparse"),
        ("one face, 3d", one, "3d"),
        ("three faces, 2d_sparse", three, "2d_sparse"),
    ]
    figures: list[Figure] = []
    for name, video, kind in runs:
        request = VideoRequest(video, folder / f"{video.stem}_{kind}.mp4", kind)
        seconds = [once(partial(draw_video, reconstructor, request, _quiet)) for _ in range(rounds)]
        figures.append(figure(name, [FRAMES / each for each in seconds], "frames a second"))
    return Section("Video of 1280 x 720 pixels, 300 frames, decoded, followed, drawn, encoded", tuple(figures))


def _landmarks(reconstructor: Reconstructor, content: bytes) -> None:
    face = reconstructor(content)
    _ = face.vertices, face.landmarks68


@one_blas_thread
def _seen_landmarks(reconstructor: Reconstructor, content: bytes) -> None:
    """Before the face model is fitted to them."""
    reconstructor.observer([read_photo(content)], "largest", True, Stopwatch())


def _drawn(draw, face, photo) -> object:
    return draw([replace(face)], photo)  # a copy has computed nothing yet


def _written(path: Path, clip: DrawnClip) -> Path:
    frames: Iterable[np.ndarray] = clip
    with written_piece(path, clip.rate) as write:
        for number, pixels in enumerate(frames):
            write(pixels, Fraction(number) / clip.rate)
    return path


def _quiet(stage: str, done: int, total: int | None) -> None:
    """Ignores progress."""
