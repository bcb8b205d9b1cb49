"""From a video to a video with the faces drawn, and to their curves: all frames are analysed first, then drawn.

Both passes keep stretches of frames on disk, so that a killed command can continue. In between, each person is
estimated from the whole video: one identity each, and curves smoothed by the future as much as by the past.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from deep3d.camera import rotation_matrix
from deep3d.drawing import draw_textured
from deep3d.errors import NoFaceInVideo, OutputNotWritable
from deep3d.export.drawings import PICTURES
from deep3d.export.gltf.animation import Motion, animated_glb
from deep3d.files.whole_file import written_whole
from deep3d.photo import Photo
from deep3d.pipeline.fitter import Refinement
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.reconstruction import Reconstruction
from deep3d.runtime.cores import one_blas_thread, usable_cores
from deep3d.texture import merge_textures
from deep3d.video.actor import Actor
from deep3d.video.curves import require_table, write_live_link, write_table
from deep3d.video.expressions import EYES_SHAPE, FaceCurves, arkit_targets, curves_of, read_eyes
from deep3d.video.heads import HeadTrack
from deep3d.video.identity import find_cast, follow_person, with_colours
from deep3d.video.reading import Frame, VideoInfo, frames_at, read_frames, video_info
from deep3d.video.sightings import Sightings
from deep3d.video.smoothing import Smoothing
from deep3d.video.steady import steadied
from deep3d.video.tracking import FaceTracker
from deep3d.video.work import Stretch, WorkFolder
from deep3d.video.writing import join_pieces, require_video_suffix, written_piece

KINDS = tuple(kind for kind in PICTURES if kind != "uncertainty")  # frames are not fitted to shapes of their own
"""What can be drawn on a video."""
STRETCH = 240  # frames that are kept at a time
BATCH = 8  # frames that are looked at together
BATCH_PIXELS = 64_000_000  # and with so many pixels in memory no further one is read
COLOUR_FRAMES: dict[Refinement, int] = {"none": 0, "landmarks": 0, "photometric": 8, "surface": 16}
"""To whose colours each person's identity is fitted."""
TEXTURE_FRAMES = 4  # that the texture of an animated face is made of, from different sides

Advance = Callable[[str, int, int | None], None]
"""Is told what goes on, how many frames of it are done, and of how many if that is known."""


Eyes = dict[tuple[int, int], np.ndarray]
"""What frames show of eyes, see `expressions.EYES_SHAPE`, by the number of the frame and that of the person."""


@dataclass(frozen=True)
class VideoRequest:
    """What to draw from a video, and what to write beside it."""

    source: Path
    out: Path  # the video to write
    kind: str = "2d_sparse"  # one of KINDS
    start: float = 0.0  # seconds
    end: float | None = None
    smoothing: Smoothing = field(default_factory=Smoothing)
    table: Path | None = None
    glb: Path | None = None
    live_link: Path | None = None
    onto: Actor | None = None  # whose face is drawn with the expressions and the pose of those in the video

    @property
    def curves(self) -> bool:
        """Whether any of the files requested holds curves."""
        return any((self.table, self.glb, self.live_link))


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
    _require_possible(reconstructor, request)
    info = video_info(request.source)
    work = _work_folder(reconstructor, request)
    stretches = _look(reconstructor, request, info, work, advance)
    seen = Sightings.joined([each.seen for each in stretches]) if stretches else None
    if seen is None or not len(seen):
        work.remove()
        raise NoFaceInVideo(f"{request.source}: no face in any frame; use a video with larger faces")
    times = [time for each in stretches for time in each.times]
    tracks = _tracks(reconstructor, seen, np.array(times, np.float64), request)
    files = [request.out]
    eyes = _draw(reconstructor, request, info, work, stretches, tracks, advance)
    if request.curves:
        files += _write_curves(reconstructor, request, info, _all_curves(reconstructor, request, tracks, eyes))
    work.remove()
    return VideoReport(len(times), {track.person.number: len(track) for track in tracks}, tuple(files))


def _require_possible(reconstructor: Reconstructor, request: VideoRequest) -> None:
    """Check the request before the long work."""
    require_video_suffix(request.out)
    for path in (request.out, request.table, request.glb, request.live_link):
        if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
            raise OutputNotWritable(f"{path}: cannot write a file there; choose another place")
    if request.table is not None:
        require_table(request.table)
    if request.curves:
        arkit_targets(reconstructor.face_model)
    if request.out.exists() and request.out.samefile(request.source):
        raise OutputNotWritable(f"{request.out}: this is the video to read; choose another name")


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


def _look(
    reconstructor: Reconstructor, request: VideoRequest, info: VideoInfo, work: WorkFolder, advance: Advance
) -> list[Stretch]:
    """What the networks see in the video; stretches on disk are not analysed again."""
    total = info.frames(request.start, request.end)
    tracker = FaceTracker(reconstructor)
    stretches: list[Stretch] = []
    begin = request.start
    while (known := work.stretch(len(stretches))) is not None:
        stretch, tracker.people = known
        stretches.append(stretch)
        if len(stretch.times) < STRETCH:
            return stretches  # the last one
        begin = float(stretch.times[-1]) + 1e-6
    done = sum(len(each.times) for each in stretches)
    frames = read_frames(request.source, begin, request.end)
    while True:
        times: list[Fraction] = []
        parts = [Sightings.none(len(reconstructor.checkpoint.dense_vertices))]
        for batch in _batches(frames, STRETCH):
            photos = [Photo(frame.pixels, request.source.name, "") for frame in batch]
            part = tracker(photos, [float(frame.time) for frame in batch])
            parts.append(replace(part, frame=part.frame + done))
            times += [frame.time for frame in batch]
            done += len(batch)
            advance("Looking", done, total)
        stretches.append(Stretch(tuple(times), Sightings.joined(parts)))
        work.keep(len(stretches) - 1, stretches[-1], tracker.people)
        if len(times) < STRETCH:
            return stretches


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


def _tracks(reconstructor: Reconstructor, seen: Sightings, times: np.ndarray, request: VideoRequest) -> list[HeadTrack]:
    """The smoothed track of each person's head."""
    model, basis = reconstructor.face_model, reconstructor.basis
    cast = find_cast(basis, seen)

    def pixels_of(numbers: Sequence[int]) -> Iterator[np.ndarray | None]:
        return frames_at(request.source, times[[*numbers]].tolist())

    if COLOUR_FRAMES[reconstructor.refinement]:
        cast = with_colours(cast, model, basis, seen, pixels_of, COLOUR_FRAMES[reconstructor.refinement])
    tracks = []
    for person in cast.people:
        mine = seen.chosen(np.flatnonzero(seen.person == person.number))
        track = follow_person(basis, person, cast.focal_length, mine, times[mine.frame])
        tracks.append(steadied(track, request.smoothing))
    return tracks


def _draw(
    reconstructor: Reconstructor,
    request: VideoRequest,
    info: VideoInfo,
    work: WorkFolder,
    stretches: Sequence[Stretch],
    tracks: Sequence[HeadTrack],
    advance: Advance,
) -> Eyes:
    """Draw all stretches that are not drawn yet, and join them; what the frames show of the eyes."""
    painter = _Painter(reconstructor, request, tracks)
    total = sum(len(each.times) for each in stretches)
    done = 0
    drawn = [each for each in stretches if each.times]
    eyes: Eyes = {}
    for number, stretch in enumerate(drawn):
        known = work.eyes(number) if request.curves else {}
        if not work.piece(number).exists() or known is None:
            known = {}
            with written_whole(work.piece(number)) as partial:
                with written_piece(partial, info.rate) as write:
                    for frame, (picture, seen) in _painted(painter, request, stretch, done):
                        write(picture, frame.time)
                        known |= seen
                        advance("Drawing", done + frame.number + 1, total)
                if request.curves:
                    work.keep_eyes(number, known)
        eyes |= known
        done += len(stretch.times)
    pieces = [work.piece(number) for number in range(len(drawn))]
    with written_whole(request.out) as partial:
        starts = [each.times[0] for each in drawn]
        join_pieces(pieces, starts, partial, request.source, request.start, request.end)
    return eyes


def _painted(
    painter: _Painter, request: VideoRequest, stretch: Stretch, first: int
) -> Iterator[tuple[Frame, tuple[np.ndarray, Eyes]]]:
    """The frames of a stretch, drawn by as many threads as there are cores, in their order."""
    waiting: deque[tuple[Frame, Future[tuple[np.ndarray, Eyes]]]] = deque()
    end = float(stretch.times[-1]) + 1e-6
    with ThreadPoolExecutor(usable_cores()) as pool:
        for frame in read_frames(request.source, float(stretch.times[0]) - 1e-6, end):
            waiting.append((frame, pool.submit(painter, frame.pixels, first + frame.number)))
            if len(waiting) > 2 * usable_cores():
                drawn, result = waiting.popleft()
                yield drawn, result.result()
        for drawn, result in waiting:
            yield drawn, result.result()


class _Painter:
    """Draws the faces of single frames."""

    def __init__(self, reconstructor: Reconstructor, request: VideoRequest, tracks: Sequence[HeadTrack]) -> None:
        self._model, self._name = reconstructor.face_model, request.source.name
        self._onto, self._curves = request.onto, request.curves
        self._draw = PICTURES[request.kind]
        self._faces: dict[int, list[tuple[HeadTrack, int]]] = {}
        for track in tracks:
            for row, frame in enumerate(track.frame.tolist()):
                self._faces.setdefault(frame, []).append((track, row))

    def __call__(self, pixels: np.ndarray, number: int) -> tuple[np.ndarray, Eyes]:
        """(H, W, 3) uint8: a frame with what is drawn on it; and the eyes in it, where curves are wanted."""
        photo = Photo(pixels, self._name, "")
        tracks = self._faces.get(number, ())
        faces = [track.face(row, photo, self._model) for track, row in tracks]
        eyes: Eyes = {}
        if self._curves:
            eyes = {(number, track.person.number): read_eyes(face) for (track, _), face in zip(tracks, faces)}
        if self._onto is None:
            return self._draw(faces, photo), eyes
        return draw_textured([self._onto.acting(face) for face in faces], photo), eyes


def _all_curves(
    reconstructor: Reconstructor, request: VideoRequest, tracks: Sequence[HeadTrack], eyes: Eyes
) -> list[FaceCurves]:
    """The curves of each person."""
    unseen = np.zeros(EYES_SHAPE, np.float32)
    curves = []
    for track in tracks:
        seen = np.stack([eyes.get((frame, track.person.number), unseen) for frame in track.frame.tolist()])
        sha256 = reconstructor.checkpoint.sha256
        curves.append(curves_of(track, seen, reconstructor.face_model, sha256, request.smoothing))
    return curves


def _write_curves(
    reconstructor: Reconstructor, request: VideoRequest, info: VideoInfo, curves: Sequence[FaceCurves]
) -> list[Path]:
    """Write the files requested beside the video, and return their paths."""
    written = []
    if request.table is not None:
        with written_whole(request.table) as partial:
            write_table(partial, curves, reconstructor.face_model)
        written.append(request.table)
    for each in curves:
        if request.live_link is not None:
            path = _of_person(request.live_link, each, curves)
            with written_whole(path) as partial:
                write_live_link(partial, each, info.rate)
            written.append(path)
        if request.glb is not None:
            path = _of_person(request.glb, each, curves)
            with written_whole(path) as partial:
                partial.write_bytes(_moving_face(reconstructor, request, each))
            written.append(path)
    return written


def _of_person(path: Path, one: FaceCurves, all_of_them: Sequence[FaceCurves]) -> Path:
    """The path itself for one person; with -face-1, -face-2, ... before its suffix for several."""
    number = one.track.person.number
    return path if len(all_of_them) == 1 else path.with_name(f"{path.stem}-face-{number}{path.suffix}")


def _moving_face(reconstructor: Reconstructor, request: VideoRequest, curves: FaceCurves) -> bytes:
    """The animated GLB of one person, or of the actor that the video is put onto."""
    model, actor, track = reconstructor.face_model, request.onto, curves.track
    weights = curves.weights[:, : len(arkit_targets(model))]
    motion = Motion(track.time - request.start, weights, rotation_matrix(track.angles))
    if actor is not None:
        return animated_glb(model, model.neutral_shape(actor.identity[None])[0], actor.texture, motion)
    neutral = model.neutral_shape(track.person.identity[None].astype(np.float32))[0]
    return animated_glb(model, neutral, _texture(reconstructor, request, track), motion)


def _texture(reconstructor: Reconstructor, request: VideoRequest, track: HeadTrack) -> np.ndarray:
    """Of some of the person's surest frames, from different sides."""
    model = reconstructor.face_model
    faces: list[Reconstruction] = []
    rows = sorted(_sides(track))
    for row, pixels in zip(rows, frames_at(request.source, track.time[rows].tolist()), strict=True):
        if pixels is not None:
            faces.append(track.face(row, Photo(pixels, request.source.name, ""), model))
    weight = np.array([1 / face.confidence.landmark_error**2 for face in faces if face.confidence is not None])
    return merge_textures([face.unwrapped for face in faces], weight / weight.sum(), model)


def _sides(track: HeadTrack) -> list[int]:
    """Rows of frames that show the face from the front and from as many sides as there are, eyes open, mouth shut."""
    yaw = np.degrees(track.angles[:, 1])
    least, most = np.quantile(yaw, [0.02, 0.98])
    wanted = np.linspace(least, most, TEXTURE_FRAMES)
    shut = np.abs(track.expression).sum(axis=1)
    cost = track.error + 0.2 * shut
    rows = [int(np.argmin(cost + np.abs(yaw - each) / 5)) for each in wanted]
    return list(dict.fromkeys(rows))
