"""Faces in front of a camera, one frame at a time: people, poses and expressions, smoothed as they arrive.

A person's identity is fitted to their surest frames a few times in the first seconds, and then held, as in videos. So
a frame takes as long in the hundredth minute as in the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.errors import FaceModelInvalid
from deep3d.fitting.named_expressions import has_names, named_weights
from deep3d.photo import Photo
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.runtime.cores import one_blas_thread
from deep3d.video.expressions import arkit_weights, eye_angles, gazes_of, read_eyes
from deep3d.video.heads import HeadTrack, Person
from deep3d.video.identity import MOST_FRAMES, find_cast, follow_person, surest_views
from deep3d.video.sightings import Sightings
from deep3d.video.smoothing import OneEuro
from deep3d.video.steady import EXPRESSION, GAZE, LONGEST_GAP, LiveSteadier
from deep3d.video.tracking import FaceTracker

FITTED_AT = (1, 5, 15, 45, 120)
"""After so many frames of a person their identity is fitted anew; after the last it stays."""


@dataclass(frozen=True)
class LiveFace:
    """One face of one frame."""

    track: HeadTrack  # F = 1
    fitted: int  # how often the identity was fitted: it is the same while this number is
    weights: np.ndarray  # (52,) in [0, 1], of `expressions.ARKIT_NAMES`
    eyes: np.ndarray  # (2, 2) radians, of the person's left eye and the right one, yaw and pitch within the head


class LiveFaces:
    """The faces before one camera. Frames are given in their order, each as soon as it is there."""

    def __init__(self, reconstructor: Reconstructor) -> None:
        """Raises: CheckpointMismatch; FaceModelInvalid for a face model without ARKit's expressions."""
        if not has_names(reconstructor.face_model):
            raise FaceModelInvalid(
                f"{reconstructor.face_model.info.name}: no named expressions; use the open face model"
            )
        self._reconstructor = reconstructor
        self._tracker = FaceTracker(reconstructor)
        self._heads: dict[int, _Head] = {}

    @one_blas_thread
    def __call__(self, pixels: np.ndarray, time: float) -> list[LiveFace]:
        """The faces of a frame (H, W, 3) uint8, upright, at a time in seconds, which grows; the largest first."""
        photo = Photo(pixels, "camera", "")
        seen = self._tracker([photo], [time])
        faces = []
        for row in range(len(seen)):
            head = self._heads.setdefault(int(seen.person[row]), _Head(self._reconstructor))
            faces.append(head(seen.chosen(np.array([row])), photo, time))
        return sorted(faces, key=lambda face: -float(face.track.scale[0]))


class _Head:
    """What is known of one person."""

    def __init__(self, reconstructor: Reconstructor) -> None:
        self._reconstructor = reconstructor
        self._frames = 0
        self._fitted = 0
        self._known: Sightings | None = None  # the surest of the frames so far, until the identity stays
        self._person: Person | None = None
        self._focal_length = 0.0
        self._steady = LiveSteadier()
        self._face = _Face(reconstructor)

    def __call__(self, seen: Sightings, photo: Photo, time: float) -> LiveFace:
        """The face of the next frame, of what was seen of it (R = 1)."""
        person = self._learned(seen)
        basis = self._reconstructor.basis
        track = self._steady(follow_person(basis, person, self._focal_length, seen, np.array([time])))
        weights, eyes = self._face(track, photo, time)
        return LiveFace(track, self._fitted, weights, eyes)

    def _learned(self, seen: Sightings) -> Person:
        if self._person is not None and self._fitted == len(FITTED_AT):
            return self._person
        self._frames += 1
        self._known = seen if self._known is None else Sightings.joined([self._known, seen])
        if len(self._known) > MOST_FRAMES:
            self._known = self._known.chosen(surest_views(self._known))
        if self._person is None or self._frames == FITTED_AT[self._fitted]:
            cast = find_cast(self._reconstructor.basis, self._known)
            (self._person,), self._focal_length = cast.people, cast.focal_length
            self._fitted += 1
            if self._fitted == len(FITTED_AT):
                self._known = None
        return self._person


class _Face:
    """The named weights and the gaze of one person, steadied."""

    def __init__(self, reconstructor: Reconstructor) -> None:
        self._model, self._sha256 = reconstructor.face_model, reconstructor.checkpoint.sha256
        self._begin()

    def _begin(self) -> None:
        self._turns = OneEuro(GAZE)
        self._named = OneEuro(EXPRESSION)
        self._looked = np.zeros((2, 2))
        self._time = -np.inf

    def __call__(self, track: HeadTrack, photo: Photo, time: float) -> tuple[np.ndarray, np.ndarray]:
        """(52,) weights and (2, 2) angles of the eyes."""
        if time - self._time > LONGEST_GAP:
            self._begin()
        self._time = time
        eyes = read_eyes(track.face(0, photo, self._model))
        self._looked = np.where(eyes[:, 2:3] > 0, eyes[:, :2], self._looked)  # a lid does not turn an eye
        turns = self._turns(time, self._looked.reshape(4)).reshape(2, 2)
        named = named_weights(track.expression[0], gazes_of(turns, eyes), self._model, self._sha256)
        return arkit_weights(self._model, self._named(time, named)[None])[0], eye_angles(turns[None])[0]
