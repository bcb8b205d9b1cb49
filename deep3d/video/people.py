"""Who is who in a video, by the network's impression of each person and where they were last seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from deep3d.coefficients import ALBEDO, IDENTITY

SAME_LOOKS = 2.2
"""Distance of mean identity and albedo, in standard deviations of the model, up to which two finds are one person.
Of 12 made-up people in four clips, means of eight frames are at most 1.2 from those of the same person seconds later,
and at least 3.3 from others."""
SAME_PLACE = 3.2
"""The same for somebody who was lost moments ago right there."""
CUT = 2.0
"""The same between two frames, from which on a face may be somebody else's, after a cut. Of ten cuts between made-up
people all are above 3.8, of ten between views of one person half are above 2; without a cut it is below 1 as a rule."""
SOMEBODY_ELSE = 2.4
"""The same between the mean before and that of SURE frames after a cut, from which on it is. Of those ten pairs of
people all are above 3.9, of ten people in other views all below 2.1; five pairs of photos are 2.7 to 7.6 apart."""
SURE = 8  # frames
MOMENTS = 0.7  # seconds
NEAR = 0.6  # sizes of the face
_MOST_WEIGHT = 300.0  # of what was seen before, in frames: looks may drift with the light


@dataclass
class TrackedPerson:
    """A person who is or was in the picture."""

    number: int  # from 1
    looks: np.ndarray  # (160,) mean regressed identity and albedo
    weight: float  # frames that this is the mean of
    five: np.ndarray  # (5, 2) the five alignment points where they were last seen, pixels
    velocity: np.ndarray  # (2,) pixels a second
    time: float  # seconds, when that was
    followed: bool  # whether they were seen in the last frame
    last: np.ndarray | None = None  # (160,) looks in the last frame
    doubted: list[np.ndarray] = field(default_factory=list)  # looks since they suddenly changed, until it is clear who

    def expected_five(self, time: float) -> np.ndarray:
        """(5, 2) where the five points are by now, if the head has gone on as it did."""
        return self.five + self.velocity * min(time - self.time, MOMENTS)

    @property
    def size(self) -> float:
        """Pixels across the face."""
        return face_size(self.five)

    def learn(self, looks: np.ndarray) -> np.ndarray | None:
        """Learn from the looks (160,) in one more frame; the mean of the last ones if they are somebody else's."""
        if self.doubted or (self.last is not None and _apart(looks, self.last) > CUT):
            self.doubted.append(looks)
        else:
            self._believe([looks])
        self.last = looks
        if len(self.doubted) < SURE:
            return None
        doubted, self.doubted = self.doubted, []
        mean = np.mean(doubted, axis=0)
        if _apart(mean, self.looks) > SOMEBODY_ELSE:
            return mean
        self._believe(doubted)
        return None

    def _believe(self, looks: Sequence[np.ndarray]) -> None:
        total = self.weight + len(looks)
        self.looks = (self.weight * self.looks + np.sum(looks, axis=0)) / total
        self.weight = min(total, _MOST_WEIGHT)

    def seen_at(self, time: float, five: np.ndarray) -> None:
        """Note where a later frame shows the person."""
        step = time - self.time
        if 0 < step < MOMENTS:
            moved = (five.mean(axis=0) - self.five.mean(axis=0)) / step
            self.velocity = self.velocity + min(1.0, step / 0.1) * (moved - self.velocity)
        else:
            self.velocity = np.zeros(2)
        self.five, self.time = five, time


def looks_of(vectors: np.ndarray) -> np.ndarray:
    """(B, 160) what people look like, of regressed coefficient vectors (B, 257)."""
    return np.concatenate([vectors[:, IDENTITY], vectors[:, ALBEDO]], axis=1).astype(np.float64)


def _apart(looks: np.ndarray, others: np.ndarray) -> float:
    return float(np.linalg.norm(looks - others))


def face_size(five: np.ndarray) -> float:
    """Pixels across a face of five points (5, 2): twice the way from eye to eye or to the mouth, whichever is more."""
    eyes, mouth = five[:2].mean(axis=0), five[3:].mean(axis=0)
    return 2 * float(max(np.linalg.norm(five[1] - five[0]), np.linalg.norm(mouth - eyes)))


def recognise(
    people: Sequence[TrackedPerson], looks: np.ndarray, five: np.ndarray, time: float
) -> list[TrackedPerson | None]:
    """Who each of K new finds is among people who are not in the picture: None for somebody new.

    `looks` (K, 160) are means of the finds, `five` (K, 5, 2) their first places at a time in seconds. The nearest pair
    goes first, and nobody is two people.
    """
    found: list[TrackedPerson | None] = [None] * len(looks)
    distance = np.array([[np.linalg.norm(person.looks - each) for person in people] for each in looks])
    excess = np.array(
        [[distance[k, n] / _limit(person, five[k], time) for n, person in enumerate(people)] for k in range(len(looks))]
    ).reshape(len(looks), len(people))
    while excess.size and excess.min() <= 1:
        k, n = divmod(int(np.argmin(excess)), len(people))
        found[k] = people[n]
        excess[k, :] = excess[:, n] = np.inf
    return found


def _limit(person: TrackedPerson, five: np.ndarray, time: float) -> float:
    """How much looks may differ."""
    away = np.linalg.norm(person.expected_five(time).mean(axis=0) - five.mean(axis=0))
    return SAME_PLACE if time - person.time < MOMENTS and away < NEAR * person.size else SAME_LOOKS


def told_apart(frame: np.ndarray, person: np.ndarray, looks: np.ndarray) -> np.ndarray:
    """(R,) who is seen in each row of a whole video, where a cut put somebody else in a person's place.

    `frame`, `person` (R,) and `looks` (R, 160) are in the order of frames. What is seen of a person without a break,
    the longest first, is compared with the same person and then with others who are not in the picture by then.
    Numbers count from 1 in the order in which people appear.
    """
    named = person.copy()
    stretches = [
        rows for number in np.unique(person) for rows in _unbroken(np.flatnonzero(person == number), frame, looks)
    ]
    known: dict[int, np.ndarray] = {}
    for rows in sorted(stretches, key=len, reverse=True):
        mean, own = looks[rows].mean(axis=0), int(person[rows[0]])
        if own in known and _apart(mean, known[own]) <= SOMEBODY_ELSE:
            continue
        busy = set(named[np.isin(frame, frame[rows]) & (named != own)].tolist())
        near = {number: _apart(mean, known[number]) for number in known.keys() - busy - {own}}
        if near and min(near.values()) <= SAME_LOOKS:
            named[rows] = min(near, key=lambda number: near[number])
        elif own not in known:
            known[own] = mean
        elif len(rows) >= SURE:
            named[rows] = number = 1 + int(max(named))
            known[number] = mean
    _, first, inverse = np.unique(named, return_index=True, return_inverse=True)
    return 1 + np.argsort(np.argsort(first))[inverse]


def _unbroken(rows: np.ndarray, frame: np.ndarray, looks: np.ndarray) -> list[np.ndarray]:
    """One person's rows, split where the person was away or looks different at once."""
    changed = np.linalg.norm(np.diff(looks[rows], axis=0), axis=1) > CUT
    return np.split(rows, np.flatnonzero(changed | (np.diff(frame[rows]) > 1)) + 1)
