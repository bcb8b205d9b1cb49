"""Following faces from frame to frame: in files by batches of frames, live one frame at a time.

The detector looks at the beginning, when somebody is lost, and every few seconds for new faces. In between, crops
follow what the networks saw last. Whether a crop still shows a face is for the networks to say: of what is none they
expect errors that are far larger. Two finds in one place are one face, and belong to whom they look like.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from deep3d.alignment import align
from deep3d.detection.detector import Detection
from deep3d.errors import AlignmentFailed, CheckpointMismatch
from deep3d.landmarks import five_points
from deep3d.photo import Photo
from deep3d.pipeline.observation import Candidate
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.runtime.cores import one_blas_thread
from deep3d.video.people import TrackedPerson, face_size, looks_of, recognise
from deep3d.video.sightings import Sightings, crop_geometry

FACE = 6.0
"""Percent of the face box, expected error of the networks up to which a crop shows the face that is followed."""
LOOK_EVERY = 1.0  # seconds until the detector looks for new faces
SEEK_EVERY = 0.25  # seconds until it looks again while somebody is missed
MISSED = 3.0  # seconds that somebody is
CLEAR = 2.5
"""Percent of the face box, expected error up to which a find that looks like nobody is somebody new while others are
missed: half of a face that comes out from behind another one looks like nobody."""
ONE_PLACE = 0.4  # sizes of a face between the middles of two finds that are one face

Spot = tuple[np.ndarray, int]
"""Five points (5, 2) where a face may be, and the number of the frame in its batch."""


@dataclass(frozen=True)
class _Finds:
    """What crops showed that have a face."""

    rows: Sightings  # `frame` is the number in the batch, `person` that of the asking
    five: np.ndarray  # (R, 5, 2) pixels

    def of(self, mask: np.ndarray) -> _Finds:
        return _Finds(self.rows.chosen(mask), self.five[mask])

    def at(self, frame: int) -> np.ndarray:
        """(5, 2) of the first find in a frame that has one."""
        return self.five[self.rows.frame == frame][0]

    @classmethod
    def joined(cls, parts: Sequence[_Finds]) -> _Finds:
        """All of them, in the order of `Sightings.joined`."""
        rows = [part.rows for part in parts]
        order = np.lexsort(
            [np.concatenate([each.person for each in rows]), np.concatenate([each.frame for each in rows])]
        )
        return cls(Sightings.joined(rows), np.concatenate([part.five for part in parts])[order])


class FaceTracker:
    """Follows the faces of one video or camera; frames are given in their order."""

    def __init__(self, reconstructor: Reconstructor) -> None:
        """Raises: CheckpointMismatch if the network of the reconstructor does not tell how sure it is."""
        if not reconstructor.checkpoint.dense_vertices:
            raise CheckpointMismatch(
                f"{reconstructor.checkpoint.info.name}: without dense landmarks this network cannot follow faces; "
                "use the shipped checkpoint"
            )
        self._observer = reconstructor.observer
        self._refined = reconstructor.refinement != "none"
        self._landmarks = len(reconstructor.checkpoint.dense_vertices)
        self._looked = -np.inf  # when the detector looked last, seconds
        self.people: list[TrackedPerson] = []

    @one_blas_thread
    def __call__(self, frames: Sequence[Photo], times: Sequence[float]) -> Sightings:
        """The faces of some frames at times in seconds; `frame` counts from 0 in each call."""
        followed = [person for person in self.people if person.followed]
        spots = [(person.expected_five(time), k) for person in followed for k, time in enumerate(times)]
        owner = np.repeat([person.number for person in followed], len(frames))
        seen = self._apart(self._look(frames, spots, owner.astype(np.int64)))
        for k, time in enumerate(times):
            if self._due(seen, k, time):
                self._looked = time
                seen = self._with_new(frames, times, seen, k)
        self._remember(seen, times)
        return seen.rows

    def _look(self, frames: Sequence[Photo], spots: Sequence[Spot], owner: np.ndarray) -> _Finds:
        """The faces that are where they are looked for; `owner` (K,) says for whom."""
        candidates: list[Candidate] = []
        rows = []
        for n, (five, k) in enumerate(spots):
            with suppress(AlignmentFailed):  # gone out of the picture
                box = np.concatenate([five.min(axis=0), five.max(axis=0)])
                candidates.append(Candidate(frames[k], Detection(box, 1.0, five), align(frames[k].pixels, five)))
                rows.append(n)
        if not candidates:
            return _Finds(Sightings.none(self._landmarks), np.empty((0, 5, 2)))
        observed = self._observer.follow(candidates, self._refined, FACE)
        number = np.array(rows, np.int64)[observed.rows]
        dense = observed.regression.dense
        assert dense is not None  # the constructor has asked for it
        five = [
            each.crop.to_photo(points)
            for each, points in zip(observed.candidates, five_points(dense.points[:, :68]), strict=True)
        ]
        sightings = Sightings(
            frame=np.array([spots[n][1] for n in number], np.int64),
            person=owner[number],
            crops=np.array([crop_geometry(each.crop) for each in observed.candidates]).reshape(-1, 7),
            vectors=observed.regression.coefficients.to_vector(),
            points=dense.points.astype(np.float32),
            deviation=dense.deviation.astype(np.float32),
            error=observed.expected_errors().astype(np.float32),
        )
        return _Finds(sightings, np.array(five).reshape(-1, 5, 2))

    def _apart(self, seen: _Finds) -> _Finds:
        """Without those that stand where a likelier one does: in a frame, two people are never in one place."""
        kept = np.ones(len(seen.rows), bool)
        middle = seen.five.mean(axis=1)
        unlike = self._unlike(seen.rows)
        for k in np.unique(seen.rows.frame):
            here = np.flatnonzero(seen.rows.frame == k)
            for row in here[np.argsort(unlike[here])]:
                others = here[kept[here] & (unlike[here] < unlike[row])]
                near = ONE_PLACE * face_size(seen.five[row])
                kept[row] = not (np.linalg.norm(middle[others] - middle[row], axis=1) < near).any()
        return seen.of(kept)

    def _unlike(self, rows: Sightings) -> np.ndarray:
        """(R,) how far the looks of each find are from those of its person."""
        known = {person.number: person.looks for person in self.people}
        looks = looks_of(rows.vectors)
        return np.array([np.linalg.norm(each - known[person]) for each, person in zip(looks, rows.person.tolist())])

    def _due(self, seen: _Finds, k: int, time: float) -> bool:
        """Whether the detector should look at frame k."""
        since = time - self._looked
        here = set(seen.rows.person[seen.rows.frame == k].tolist())
        before = (
            {person.number for person in self.people if person.followed}
            if k == 0
            else set(seen.rows.person[seen.rows.frame == k - 1].tolist())
        )
        if before - here or since >= LOOK_EVERY:
            return True
        missed = any(time - person.time < MISSED for person in self.people if person.number not in here)
        return since >= SEEK_EVERY and (missed or not here)

    def _with_new(self, frames: Sequence[Photo], times: Sequence[float], seen: _Finds, k: int) -> _Finds:
        """The same with the faces that the detector finds in frame k, wherever they are in the batch."""
        here = seen.five[seen.rows.frame == k]
        found = self._observer.detect(frames[k])
        new = [each.landmarks for each in found if not _among(each.landmarks, here)]
        spots = [(five, n) for five in new for n in range(len(frames))]
        finds = self._look(frames, spots, np.repeat(np.arange(len(new)), len(frames)))
        finds = finds.of(np.array([not self._taken(seen, *each) for each in zip(finds.rows.frame, finds.five)], bool))
        finds = finds.of(np.isin(finds.rows.person, finds.rows.person[finds.rows.frame == k]))
        if not len(finds.rows):
            return seen
        return self._named(seen, finds, times, k)

    def _taken(self, seen: _Finds, frame: int, five: np.ndarray) -> bool:
        return _among(five, seen.five[seen.rows.frame == frame])

    def _named(self, seen: _Finds, finds: _Finds, times: Sequence[float], k: int) -> _Finds:
        """The finds, which have numbers of their own, joined to those seen as the people that they are."""
        faces = _in_places(finds, k)
        places = np.array([face.at(k) for face in faces])
        looks = np.array([looks_of(face.rows.vectors).mean(axis=0) for face in faces])
        shown = np.concatenate([face.rows.frame for face in faces])
        busy = set(seen.rows.person[np.isin(seen.rows.frame, shown)].tolist())
        absent = [person for person in self.people if person.number not in busy]
        missed = any(times[k] - person.time < MISSED for person in absent)
        named = [seen]
        for face, look, place, who in zip(faces, looks, places, recognise(absent, looks, places, times[k])):
            if who is None and missed and face.rows.error.mean() > CLEAR:
                continue  # the detector will look again
            person = who or self._met(look, place, times[k])
            face.rows.person[:] = person.number
            named.append(face)
        return _Finds.joined(named)

    def _met(self, looks: np.ndarray, five: np.ndarray, time: float) -> TrackedPerson:
        """Somebody new."""
        person = TrackedPerson(len(self.people) + 1, looks, 0.0, five, np.zeros(2), time, True)
        self.people.append(person)
        return person

    def _remember(self, seen: _Finds, times: Sequence[float]) -> None:
        looks = looks_of(seen.rows.vectors)
        rows_of = [(person, np.flatnonzero(seen.rows.person == person.number)) for person in self.people]
        for person, rows in rows_of:
            person.followed = bool(len(rows)) and int(seen.rows.frame[rows[-1]]) == len(times) - 1
        for person, rows in rows_of:
            for row in rows:
                changed = person.learn(looks[row])
                person.seen_at(times[seen.rows.frame[row]], seen.five[row])
                if changed is not None:
                    person = self._replaced(person, changed)
                seen.rows.person[row] = person.number

    def _replaced(self, person: TrackedPerson, looks: np.ndarray) -> TrackedPerson:
        """Who is seen from now on in a person's place, by the looks (160,) since a cut."""
        absent = [each for each in self.people if not each.followed and each is not person]
        (other,) = recognise(absent, looks[None], person.five[None], person.time)
        if other is None:
            other = self._met(looks, person.five, person.time)
        other.followed, person.followed = person.followed, False
        other.seen_at(person.time, person.five)
        return other


def _in_places(finds: _Finds, k: int) -> list[_Finds]:
    """The finds of each asking, which all have one in frame k, without those in one place with an earlier one."""
    faces: list[_Finds] = []
    for number in np.unique(finds.rows.person):
        face = finds.of(finds.rows.person == number)
        if not _among(face.at(k), np.array([other.at(k) for other in faces])):
            faces.append(face)
    return faces


def _among(five: np.ndarray, others: np.ndarray) -> bool:
    """Whether one of other faces (K, 5, 2) is in the same place."""
    if not len(others):
        return False
    away = np.linalg.norm(others.mean(axis=1) - five.mean(axis=0), axis=1)
    return bool((away < ONE_PLACE * max(face_size(five), *map(face_size, others))).any())
