"""From a video to a video with the faces drawn, and to their curves: all frames are analysed first, then drawn.

Both passes keep stretches of frames on disk, so that a killed command can continue. In between, each person is
estimated from the whole video: one identity each, and curves smoothed by the future as much as by the past. Frames of
the two passes are paired by their times.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, groupby
from pathlib import Path

import numpy as np

from deep3d.errors import NoFaceInVideo, VideoUnreadable
from deep3d.export.drawings import PICTURES
from deep3d.files.whole_file import written_whole
from deep3d.photo import Photo
from deep3d.pipeline.fitter import Refinement
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.runtime.cores import one_blas_thread
from deep3d.video.expressions import EYES_SHAPE, FaceCurves, arkit_targets, curves_of
from deep3d.video.heads import HeadTrack
from deep3d.video.identity import find_cast, follow_person, with_colours
from deep3d.video.outputs import write_outputs
from deep3d.video.painting import Eyes, Painted, painted
from deep3d.video.reading import Frame, frames_at, read_frames, video_info
from deep3d.video.request import VideoRequest, require_outputs
from deep3d.video.sightings import Sightings
from deep3d.video.steady import steadied
from deep3d.video.tracking import FaceTracker
from deep3d.video.work import Stretch, WorkFolder
from deep3d.video.writing import join_pieces, written_piece

KINDS = tuple(kind for kind in PICTURES if kind != "uncertainty")  # frames are not fitted to shapes of their own
"""What can be drawn on a video."""
STRETCH = 240  # frames that are kept at a time
BATCH = 8  # frames that are looked at together
BATCH_PIXELS = 32_000_000  # and with so many pixels in memory no further one is read
COLOUR_FRAMES: dict[Refinement, int] = {"none": 0, "landmarks": 0, "photometric": 8, "surface": 16}
"""To whose colours each person's identity is fitted."""

Advance = Callable[[str, int, int | None], None]
"""Is told what goes on, how many frames of it are done, and of how many if that is known."""


@dataclass(frozen=True)
class VideoReport:
    """What was written, and how many frames show each person."""

    frames: int
    faces: dict[int, int]  # frames with each person, by number
    files: tuple[Path, ...]


@one_blas_thread
def draw_video(reconstructor: Reconstructor, request: VideoRequest, advance: Advance) -> VideoReport:
    """Analyse a video, draw it, and write the other files requested.

    Raises: VideoError, NoFaceInVideo among it; OutputNotWritable; ExtraMissing; FaceModelInvalid.
    """
    require_outputs(request)
    if request.curves:
        arkit_targets(reconstructor.face_model)
    return _Run(reconstructor, request, advance)()


class _Run:
    """One video on its way from its frames to its files."""

    def __init__(self, reconstructor: Reconstructor, request: VideoRequest, advance: Advance) -> None:
        self._reconstructor, self._model = reconstructor, reconstructor.face_model
        self._request, self._source = request, request.source
        self._advance = advance
        self._info = video_info(request.source)
        self._work = _work_folder(reconstructor, request)

    def __call__(self) -> VideoReport:
        stretches = self._look()
        times = [time for each in stretches for time in each.times]
        seen = Sightings.joined([each.seen for each in stretches])
        if not len(seen):
            self._work.remove()
            raise self._nobody(times)
        seen = seen.told_apart()
        tracks = self._tracks(seen, np.array(times, np.float64))
        eyes = self._draw([each for each in stretches if each.times], tracks)
        files = [self._request.out]
        if self._request.curves:
            files += write_outputs(self._request, self._curves(tracks, eyes), self._info.rate, self._model)
        self._work.remove()
        return VideoReport(len(times), {track.person.number: len(track) for track in tracks}, tuple(files))

    def _nobody(self, times: Sequence[Fraction]) -> NoFaceInVideo | VideoUnreadable:
        if times:
            return NoFaceInVideo(f"{self._source}: no face in any frame; use a video with larger faces")
        length = "" if self._info.duration is None else f"; it is {self._info.duration:.2f} s long"
        return VideoUnreadable(
            f"{self._source}: no frame at or after {self._request.start:g} s{length}; choose an earlier start"
        )

    def _look(self) -> list[Stretch]:
        """What the networks see in the video; stretches on disk are not analysed again."""
        request = self._request
        tracker = FaceTracker(self._reconstructor)
        stretches: list[Stretch] = []
        begin = request.start
        while (known := self._work.stretch(len(stretches))) is not None:
            stretch, tracker.people = known
            stretches.append(stretch)
            if len(stretch.times) < STRETCH:
                return stretches  # the last one
            begin = float(stretch.times[-1]) + 1e-6
        frames = read_frames(self._source, begin, request.end)
        while not stretches or len(stretches[-1].times) == STRETCH:
            done = sum(len(each.times) for each in stretches)
            stretches.append(self._look_at(frames, tracker, done))
            self._work.keep(len(stretches) - 1, stretches[-1], tracker.people)
        return stretches

    def _look_at(self, frames: Iterator[Frame], tracker: FaceTracker, done: int) -> Stretch:
        """The next stretch, after so many frames."""
        total = self._info.frames(self._request.start, self._request.end)
        times: list[Fraction] = []
        parts = [Sightings.none(len(self._reconstructor.checkpoint.dense_vertices))]
        for batch in _batches(frames, STRETCH):
            photos = [Photo(frame.pixels, self._source.name, "") for frame in batch]
            part = tracker(photos, [float(frame.time) for frame in batch])
            parts.append(replace(part, frame=part.frame + done + len(times)))
            times += [frame.time for frame in batch]
            self._advance("Looking", done + len(times), total)
        return Stretch(tuple(times), Sightings.joined(parts))

    def _tracks(self, seen: Sightings, times: np.ndarray) -> list[HeadTrack]:
        """The smoothed track of each person's head."""
        reconstructor, basis = self._reconstructor, self._reconstructor.basis
        cast = find_cast(basis, seen)

        def pixels_of(numbers: Sequence[int]) -> Iterator[np.ndarray | None]:
            return frames_at(self._source, times[[*numbers]].tolist())

        if COLOUR_FRAMES[reconstructor.refinement]:
            cast = with_colours(cast, self._model, basis, seen, pixels_of, COLOUR_FRAMES[reconstructor.refinement])
        tracks = []
        for person in cast.people:
            mine = seen.chosen(np.flatnonzero(seen.person == person.number))
            track = follow_person(basis, person, cast.focal_length, mine, times[mine.frame])
            tracks.append(steadied(track, self._request.smoothing))
        return tracks

    def _draw(self, stretches: Sequence[Stretch], tracks: Sequence[HeadTrack]) -> Eyes:
        """Draw all stretches that are not drawn yet, and join them; what the frames show of the eyes."""
        eyes: Eyes = {}
        missing: list[int] = []
        for number in range(len(stretches)):
            known = self._work.eyes(number) if self._request.curves else {}
            if known is None or not self._work.piece(number).exists():
                missing.append(number)
            else:
                eyes |= known
        ends = [*accumulate(len(each.times) for each in stretches)]
        frames = painted(self._request, _numbered(stretches, missing), tracks, self._model)
        for number, group in groupby(frames, key=lambda each: bisect_right(ends, each.number)):
            eyes |= self._written(number, group, ends[-1])
        for number in missing:
            if not self._work.piece(number).exists():
                raise self._unlike(stretches[number].times[0])
        pieces = [self._work.piece(number) for number in range(len(stretches))]
        with written_whole(self._request.out) as partial:
            starts = [each.times[0] for each in stretches]
            join_pieces(pieces, starts, partial, self._source, self._request.start, self._request.end)
        return eyes

    def _unlike(self, time: Fraction) -> VideoUnreadable:
        return VideoUnreadable(
            f"{self._source}: its frames from {float(time):.2f} s on have other times when read again; "
            "convert the video to MP4"
        )

    def _written(self, number: int, frames: Iterator[Painted], total: int) -> Eyes:
        """Write the piece of a stretch; what it shows of the eyes."""
        eyes: Eyes = {}
        with written_whole(self._work.piece(number)) as partial:
            with written_piece(partial, self._info.rate) as write:
                for each in frames:
                    write(each.picture, each.time)
                    eyes |= each.eyes
                    self._advance("Drawing", each.number + 1, total)
            if self._request.curves:
                self._work.keep_eyes(number, eyes)
        return eyes

    def _curves(self, tracks: Sequence[HeadTrack], eyes: Eyes) -> list[FaceCurves]:
        """The curves of each person."""
        unseen = np.zeros(EYES_SHAPE, np.float32)
        curves = []
        for track in tracks:
            seen = np.stack([eyes.get((frame, track.person.number), unseen) for frame in track.frame.tolist()])
            sha256 = self._reconstructor.checkpoint.sha256
            curves.append(curves_of(track, seen, self._model, sha256, self._request.smoothing))
        return curves


def _work_folder(reconstructor: Reconstructor, request: VideoRequest) -> WorkFolder:
    state = request.source.stat()
    seeing = {
        "video": [str(request.source.resolve()), state.st_size, state.st_mtime_ns],
        "time": [request.start, request.end],
        "networks": [reconstructor.checkpoint.sha256, reconstructor.face_model.info.sha256, reconstructor.refinement],
    }
    onto = None if request.onto is None else request.onto.fingerprint
    smoothing = request.smoothing
    drawing = {
        "kind": request.kind,
        "smoothing": [smoothing.method, smoothing.before, smoothing.after],
        "onto": onto,
        "eyes": request.curves,
    }
    return WorkFolder(request.out, seeing, drawing)


def _batches(frames: Iterator[Frame], most: int) -> Iterator[list[Frame]]:
    """The next frames in batches, `most` in all."""
    left = most
    while left:
        batch: list[Frame] = []
        for frame in frames:
            batch.append(frame)
            if len(batch) == min(BATCH, left) or len(batch) * frame.pixels.size // 3 >= BATCH_PIXELS:
                break
        if not batch:
            return
        left -= len(batch)
        yield batch


def _numbered(stretches: Sequence[Stretch], chosen: Sequence[int]) -> dict[Fraction, int]:
    """The number of the frame of each time in chosen stretches."""
    starts = [0, *accumulate(len(each.times) for each in stretches)]
    return {time: starts[n] + k for n in chosen for k, time in enumerate(stretches[n].times)}
