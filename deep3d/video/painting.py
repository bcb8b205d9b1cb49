"""Drawing on the frames of a video a second time they are read, by several threads, each frame told by its time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from deep3d.drawing import draw_textured
from deep3d.export.drawings import PICTURES
from deep3d.face_model import FaceModel
from deep3d.photo import Photo
from deep3d.runtime.cores import usable_cores
from deep3d.video.expressions import read_eyes
from deep3d.video.heads import HeadTrack
from deep3d.video.reading import read_frames
from deep3d.video.request import VideoRequest

MOST_PIXELS = 32_000_000  # of frames that wait to be drawn, beside the one that the encoder waits for

Eyes = dict[tuple[int, int], np.ndarray]
"""What frames show of eyes, see `expressions.EYES_SHAPE`, by the number of the frame and that of the person."""


class Painted(NamedTuple):
    """A drawn frame."""

    number: int  # as in `HeadTrack.frame`
    time: Fraction  # seconds
    picture: np.ndarray  # (H, W, 3) uint8
    eyes: Eyes  # of its faces, where curves are wanted


def painted(
    request: VideoRequest, number_of: Mapping[Fraction, int], tracks: Sequence[HeadTrack], model: FaceModel
) -> Iterator[Painted]:
    """The frames that have certain times, drawn by as many threads as there are cores, in their order.

    `number_of` gives the number of the frame of each time.
    """
    if not number_of:
        return
    painter = _Painter(model, request, tracks)
    first, last = float(min(number_of)), float(max(number_of))
    waiting: deque[Future[Painted]] = deque()
    with ThreadPoolExecutor(usable_cores()) as pool:
        for frame in read_frames(request.source, first - 1e-6, last + 1e-6):
            number = number_of.get(frame.time)
            if number is not None:
                waiting.append(pool.submit(painter, frame.pixels, number, frame.time))
            if len(waiting) > min(2 * usable_cores(), MOST_PIXELS * 3 // frame.pixels.size):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _Painter:
    """Draws the faces of single frames."""

    def __init__(self, model: FaceModel, request: VideoRequest, tracks: Sequence[HeadTrack]) -> None:
        self._model, self._name = model, request.source.name
        self._onto, self._curves = request.onto, request.curves
        self._draw = PICTURES[request.kind]
        self._faces: dict[int, list[tuple[HeadTrack, int]]] = {}
        for track in tracks:
            for row, frame in enumerate(track.frame.tolist()):
                self._faces.setdefault(frame, []).append((track, row))

    def __call__(self, pixels: np.ndarray, number: int, time: Fraction) -> Painted:
        photo = Photo(pixels, self._name, "")
        tracks = self._faces.get(number, ())
        faces = [track.face(row, photo, self._model) for track, row in tracks]
        eyes: Eyes = {}
        if self._curves:
            eyes = {(number, track.person.number): read_eyes(face) for (track, _), face in zip(tracks, faces)}
        if self._onto is None:
            return Painted(number, time, self._draw(faces, photo), eyes)
        return Painted(number, time, draw_textured([self._onto.acting(face) for face in faces], photo), eyes)
