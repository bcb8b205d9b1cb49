"""Smoothing a person's curves: the pose as one movement, each expression by itself, nothing across gaps and cuts."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from deep3d.video.heads import HeadTrack
from deep3d.video.smoothing import OneEuro, Response, Smoothing, smooth

LONGEST_GAP = 0.25  # seconds that a person may be missing within one movement
POSE = Response(cutoff=2.0, slope=40.0, together=True)  # of decimetres and radians a second
EXPRESSION = Response(cutoff=4.0, slope=20.0, together=False)  # of full weights a second
LIGHT = Response(cutoff=0.5, slope=0.0, together=True)
"""On drawn clips, by these a still face keeps still and a talking one comes no farther from the truth."""


GAZE = Response(cutoff=3.0, slope=10.0, together=False)  # of full turns a second: eyes jump


def movements(times: np.ndarray) -> list[np.ndarray]:
    """The rows of times (F,) in seconds, each stretch without long gaps for itself."""
    ends = np.flatnonzero(np.diff(times) > LONGEST_GAP) + 1
    return np.split(np.arange(len(times)), ends)


def steadied(track: HeadTrack, how: Smoothing) -> HeadTrack:
    """The track with smooth curves; each stretch without long gaps for itself."""
    if how.method == "none" or len(track) == 0:
        return track
    parts = [_steadied(track.chosen(rows), how) for rows in movements(track.time)]
    arrays = {
        each.name: np.concatenate([getattr(part, each.name) for part in parts])
        for each in fields(track)
        if each.name != "person"
    }
    return replace(track, **arrays)


class LiveSteadier:
    """Smooths a head frame by frame from the past alone; `steadied` uses the future too and lags less."""

    def __init__(self) -> None:
        self._last: HeadTrack | None = None
        self._unit = _Unit(1.0, 1.0)
        self._begin()

    def _begin(self) -> None:
        """A new movement."""
        self._pose = OneEuro(POSE)
        self._expression = OneEuro(EXPRESSION)

    def __call__(self, track: HeadTrack) -> HeadTrack:
        """The next frame of a person (F = 1), steadied; later than the one before."""
        last, time = self._last, float(track.time[0])
        if last is None or time - last.time[0] > LONGEST_GAP:
            self._begin()
            self._unit = _Unit.of(track)
        else:
            turns = np.rint((last.angles - track.angles) / (2 * np.pi))
            track = replace(track, angles=track.angles + 2 * np.pi * turns)
        self._last = track
        pose = self._pose(time, self._unit.pose(track)[0])[None]
        expression = self._expression(time, track.expression[0])[None]
        return replace(self._unit.posed(track, pose), expression=expression)


@dataclass(frozen=True)
class _Unit:
    """What gives all that a pose is the same measure."""

    pixels: float  # for a decimetre
    distance: float  # decimetres

    @classmethod
    def of(cls, track: HeadTrack) -> _Unit:
        return cls(float(np.exp(track.scale.mean())), float(1 / track.perspective.mean()))

    def pose(self, track: HeadTrack) -> np.ndarray:
        """(F, 7)"""
        place, perspective = track.place / self.pixels, track.perspective * self.distance
        return np.column_stack([track.angles, place, track.scale, perspective])

    def posed(self, track: HeadTrack, pose: np.ndarray) -> HeadTrack:
        """The track with other poses (F, 7)."""
        return replace(
            track,
            angles=pose[:, :3],
            place=pose[:, 3:5] * self.pixels,
            scale=pose[:, 5],
            perspective=pose[:, 6] / self.distance,
        )


def _steadied(track: HeadTrack, how: Smoothing) -> HeadTrack:
    unit = _Unit.of(track)
    return replace(
        unit.posed(track, smooth(track.time, unit.pose(track), how, POSE)),
        expression=smooth(track.time, track.expression, how, EXPRESSION),
        lighting=smooth(track.time, track.lighting, how, LIGHT),
    )
