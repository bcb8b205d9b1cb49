"""Synthetic clips with known motion: tracking people through a video, compared with single frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from deep3d.evaluation.people import shape_distance
from deep3d.landmarks import box_size
from deep3d.mesh import MILLIMETRES
from deep3d.photo import Photo
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.synthetic.clips import DrawnClip, crossing_clip, nodding_clip, still_clip, talking_clip
from deep3d.video.drawing import COLOUR_FRAMES
from deep3d.video.heads import HeadTrack
from deep3d.video.identity import find_cast, follow_person, with_colours
from deep3d.video.sightings import Sightings
from deep3d.video.smoothing import Smoothing
from deep3d.video.steady import steadied
from deep3d.video.tracking import FaceTracker

SEED = 990_100_001  # of clips to measure on
FRAMES = 100
SINGLE_EVERY = 4  # frames, of those that are reconstructed separately
BATCH = 8


@dataclass(frozen=True)
class ClipFigures:
    """The figures of all clips."""

    single_landmarks: float  # percent of the face box, mean over 68 landmarks, frame by frame
    video_landmarks: float  # the same of a video, smoothed
    single_identity: float  # millimetres, mean distance of the face's neutral shape after a similarity alignment
    video_identity: float
    jitter: float  # pixels, standard deviation of the 68 landmarks of a still face about their means
    jitter_single: float
    lag: int  # lag of a nod in frames
    people: int  # people found in a clip of three who cross, leave and come back
    swaps: int  # frames in which a person's number was another's

    def to_markdown(self) -> str:
        """A table."""
        ratio = self.video_landmarks / self.single_landmarks, self.video_identity / self.single_identity
        rows = [
            ("landmarks, percent of the face box", self.single_landmarks, self.video_landmarks, f"{ratio[0]:.2f}"),
            ("identity, mm", self.single_identity, self.video_identity, f"{ratio[1]:.2f}"),
            ("jitter of a still face, px", self.jitter_single, self.jitter, ""),
        ]
        lines = [f"| {name} | {one:.3f} | {video:.3f} | {share} |" for name, one, video, share in rows]
        lines += [
            f"| lag of a nod, frames | | {self.lag} | |",
            f"| people seen of 3; swaps | | {self.people}; {self.swaps} | |",
        ]
        head = ["| drawn clips | frame by frame | video | ratio |", "|---|---:|---:|---:|"]
        return "\n".join([*head, *lines]) + "\n"


def measure_clips(
    reconstructor: Reconstructor,
    count: int,
    advance: Callable[[str, int, int], None],
    size: tuple[int, int] = (1280, 720),
) -> ClipFigures:
    """Measure `count` clips of talking people, and one each of a still, a nodding and three crossing people."""
    talking = []
    for number in range(count):
        talking.append(_talking(reconstructor, talking_clip(reconstructor.face_model, FRAMES, SEED + number, size)))
        advance("Talking clips", number + 1, count)
    single_landmarks, video_landmarks, single_identity, video_identity = np.mean(talking, axis=0)
    still = still_clip(reconstructor.face_model, 60, SEED, size)
    (track,) = follow_clip(reconstructor, still)
    single = np.array([_single(reconstructor, still, number)[0] for number in range(0, 60, SINGLE_EVERY)])
    advance("Still clip", 1, 1)
    lag = _lag(reconstructor, nodding_clip(reconstructor.face_model, 90, SEED, size))
    advance("Nodding clip", 1, 1)
    people, swaps = _who_is_who(reconstructor, crossing_clip(reconstructor.face_model, 240, SEED, size))
    advance("Crossing clip", 1, 1)
    return ClipFigures(
        single_landmarks=float(single_landmarks),
        video_landmarks=float(video_landmarks),
        single_identity=float(single_identity),
        video_identity=float(video_identity),
        jitter=jitter(track.landmarks68(reconstructor.face_model)),
        jitter_single=jitter(single),
        lag=lag,
        people=people,
        swaps=swaps,
    )


def see_clip(reconstructor: Reconstructor, clip: DrawnClip) -> Sightings:
    """The tracker's result for a clip."""
    tracker = FaceTracker(reconstructor)
    parts = [Sightings.none(len(reconstructor.checkpoint.dense_vertices))]
    for start in range(0, len(clip), BATCH):
        numbers = range(start, min(start + BATCH, len(clip)))
        photos = [Photo(clip.frame(number), "clip", "") for number in numbers]
        seen = tracker(photos, [number / float(clip.rate) for number in numbers])
        parts.append(replace(seen, frame=seen.frame + start))
    return Sightings.joined(parts).told_apart()


def follow_clip(reconstructor: Reconstructor, clip: DrawnClip) -> list[HeadTrack]:
    """The heads of a clip as `video.drawing` finds those of a video."""
    model, basis, seen = reconstructor.face_model, reconstructor.basis, see_clip(reconstructor, clip)
    cast = find_cast(basis, seen)
    colours = COLOUR_FRAMES[reconstructor.refinement]
    if colours:
        cast = with_colours(cast, model, basis, seen, lambda numbers: map(clip.frame, numbers), colours)
    tracks = []
    for person in cast.people:
        mine = seen.chosen(np.flatnonzero(seen.person == person.number))
        track = follow_person(basis, person, cast.focal_length, mine, mine.frame / float(clip.rate))
        tracks.append(steadied(track, Smoothing()))
    return tracks


def jitter(landmarks: np.ndarray) -> float:
    """Standard deviation of landmarks (F, 68, 2) about their means over the frames, pixels; mean over the landmarks."""
    away = landmarks - landmarks.mean(axis=0)
    return float(np.sqrt(np.square(away).sum(axis=2).mean(axis=0)).mean())


def _talking(reconstructor: Reconstructor, clip: DrawnClip) -> tuple[float, float, float, float]:
    """Landmark errors frame by frame and of the video, then the same of identity."""
    track = max(follow_clip(reconstructor, clip), key=len)
    video = track.landmarks68(reconstructor.face_model)
    row_of = {int(frame): row for row, frame in enumerate(track.frame)}
    numbers = [number for number in range(0, len(clip), SINGLE_EVERY) if number in row_of]
    singles = [_single(reconstructor, clip, number) for number in numbers]
    return (
        float(np.mean([_landmark_error(one[0], clip, n) for one, n in zip(singles, numbers)])),
        float(np.mean([_landmark_error(video[row_of[n]], clip, n) for n in numbers])),
        float(np.mean([_identity_error(one[1], clip) for one in singles])),
        _identity_error(track.person.identity, clip),
    )


def _single(reconstructor: Reconstructor, clip: DrawnClip, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks (68, 2) and identity (80,) of a single frame."""
    face = reconstructor(Photo(clip.frame(number), "frame", ""))
    return face.landmarks68, face.coefficients.identity[0]


def _landmark_error(landmarks: np.ndarray, clip: DrawnClip, number: int) -> float:
    truth = clip.landmarks68(0, number)
    return 100 * float(np.linalg.norm(landmarks - truth, axis=1).mean() / box_size(truth))


def _identity_error(identity: np.ndarray, clip: DrawnClip) -> float:
    model = clip.model
    face = model.skin > 0.5
    shapes = [MILLIMETRES * model.neutral_shape(each[None])[0][face] for each in (identity, clip.identity(0))]
    return shape_distance(shapes[0].astype(np.float64), shapes[1].astype(np.float64))


def _lag(reconstructor: Reconstructor, clip: DrawnClip) -> int:
    """Lag of the tip of the nose in frames."""
    (track,) = follow_clip(reconstructor, clip)
    video = track.landmarks68(reconstructor.face_model)[:, 30, 1]
    truth = np.array([clip.landmarks68(0, number)[30, 1] for number in track.frame])
    inner = slice(10, len(video) - 10)
    lags = range(-5, 6)
    return int(lags[int(np.argmax([np.corrcoef(truth[inner], np.roll(video, -lag)[inner])[0, 1] for lag in lags]))])


def _who_is_who(reconstructor: Reconstructor, clip: DrawnClip) -> tuple[int, int]:
    """The number of people found, and of frames in which a person has another number than usual."""
    seen = see_clip(reconstructor, clip)
    who = np.array([_nearest(clip, seen, row) for row in range(len(seen))])
    swaps = 0
    for number in np.unique(seen.person):
        counts = np.bincount(who[seen.person == number], minlength=len(clip.looks))
        swaps += int(counts.sum() - counts.max())
    return len(np.unique(seen.person)), swaps


def _nearest(clip: DrawnClip, seen: Sightings, row: int) -> int:
    middle = seen.crop(row).to_photo(seen.points[row, :68]).mean(axis=0)
    places = [clip.landmarks68(person, int(seen.frame[row])).mean(axis=0) for person in range(len(clip.looks))]
    return int(np.argmin(np.linalg.norm(np.array(places) - middle, axis=1)))
