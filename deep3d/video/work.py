"""Finished parts of a video, in a folder beside the result, from which a killed command continues."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from deep3d.errors import OutputNotWritable
from deep3d.files.whole_file import written_whole
from deep3d.video.people import SURE, TrackedPerson
from deep3d.video.sightings import Sightings


@dataclass(frozen=True)
class Stretch:
    """Some frames of a video, and what the networks saw in them."""

    times: tuple[Fraction, ...]  # seconds in the video, of each frame
    seen: Sightings  # `frame` counts from the first frame of the first stretch


@contextmanager
def continued_later(path: Path) -> Iterator[None]:
    """Says in one line what is wrong with the disk while something is written, and that nothing is lost."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputNotWritable(
            f"{path}: cannot be written ({reason}); make room, then run the same command to continue"
        ) from error


class WorkFolder:
    """The pieces of one result. Pieces of other settings or of another video are not reused."""

    def __init__(self, out: Path, seeing: Mapping[str, Any], drawing: Mapping[str, Any]) -> None:
        """`seeing` are the settings that what was seen depends on, `drawing` those that pictures depend on besides.

        Raises: OutputNotWritable.
        """
        self.path = out.with_name(f".{out.name}.partial")
        self._seen = _fingerprint(seeing)
        self._drawn = _fingerprint({**seeing, **drawing})
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputNotWritable(f"{out}: cannot be written ({error.strerror}); choose another place") from error

    def piece(self, number: int) -> Path:
        """Where the drawn frames of a stretch are, once they all are."""
        return self.path / f"drawn-{self._drawn}-{number:05d}.mp4"

    def stretch(self, number: int) -> tuple[Stretch, list[TrackedPerson]] | None:
        """What is known of a stretch and of the people seen up to its end, None if it was not looked at."""
        try:
            seen = Sightings.load(self._file(number, "seen.npz"))
            with np.load(self._file(number, "frames.npz"), allow_pickle=False) as stored:
                times = tuple(Fraction(int(top), int(below)) for top, below in stored["times"])
                people = _people_of(stored)
        except (OSError, ValueError, KeyError):
            return None
        return Stretch(times, seen), people

    def keep(self, number: int, stretch: Stretch, people: list[TrackedPerson]) -> None:
        """Save a stretch.

        Raises: OutputNotWritable, with what is wrong with the disk.
        """
        with continued_later(self.path):
            stretch.seen.save(self._file(number, "seen.npz"))
            with written_whole(self._file(number, "frames.npz")) as partial, partial.open("wb") as file:
                times = np.array([(time.numerator, time.denominator) for time in stretch.times], np.int64)
                arrays = _arrays_of(people) | {"times": times.reshape(-1, 2)}
                np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]

    def eyes(self, number: int) -> dict[tuple[int, int], np.ndarray] | None:
        """What the frames of a drawn stretch show of eyes, by frame and person; None if that is not known."""
        try:
            with np.load(self._eyes(number), allow_pickle=False) as stored:
                who, seen = stored["who"], stored["seen"]
        except (OSError, ValueError, KeyError):
            return None
        return {(frame, person): eyes for (frame, person), eyes in zip(who.tolist(), seen)}

    def keep_eyes(self, number: int, eyes: dict[tuple[int, int], np.ndarray]) -> None:
        """Save what the frames of a stretch show of eyes."""
        with continued_later(self.path), written_whole(self._eyes(number)) as partial, partial.open("wb") as file:
            np.savez(file, who=np.array([*eyes], np.int64).reshape(-1, 2), seen=np.array([*eyes.values()]))

    def remove(self) -> None:
        """Remove the folder, once the result is complete."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _eyes(self, number: int) -> Path:
        return self.piece(number).with_suffix(".eyes.npz")

    def _file(self, number: int, end: str) -> Path:
        return self.path / f"{self._seen}-{number:05d}-{end}"


_FIELDS = ("looks", "weight", "five", "velocity", "time", "followed")


def _arrays_of(people: list[TrackedPerson]) -> dict[str, np.ndarray]:
    arrays = {name: np.array([getattr(person, name) for person in people]) for name in _FIELDS}
    # What is not there yet is not a number, so that all have as much.
    nothing = [np.full((SURE, *person.looks.shape), np.nan) for person in people]
    arrays["last"] = np.array([none[0] if each.last is None else each.last for each, none in zip(people, nothing)])
    arrays["doubted"] = np.array([[*each.doubted, *none][:SURE] for each, none in zip(people, nothing)])
    return arrays


def _people_of(stored: Mapping[str, np.ndarray]) -> list[TrackedPerson]:
    people = []
    for values in zip(*(stored[name] for name in (*_FIELDS, "last", "doubted"))):
        looks, weight, five, velocity, time, followed, last, doubted = values
        person = TrackedPerson(len(people) + 1, looks, float(weight), five, velocity, float(time), bool(followed))
        person.last = None if np.isnan(last).any() else last
        person.doubted = [*doubted[~np.isnan(doubted).any(axis=1)]]
        people.append(person)
    return people


def _fingerprint(settings: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:12]
