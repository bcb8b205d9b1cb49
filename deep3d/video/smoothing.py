"""Smoothing of curves over time without lag: the past and the future of each frame count alike.

One-euro (Casiez et al., 2012): a low-pass filter whose cut-off grows with speed, so that a still face keeps still and a
quick one is not held back. Over a file it runs forward and backward and the mean of both is taken, by which nothing
comes late. The window is that of 3DDFA_V2: the mean of the frames before, of the frame and of those after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Method = Literal["one-euro", "window", "none"]
METHODS: tuple[Method, ...] = ("one-euro", "window", "none")

_SPEED_CUTOFF = 2.0  # hertz of the filter of the speed


@dataclass(frozen=True)
class Smoothing:
    """How curves are smoothed."""

    method: Method = "one-euro"
    before: int = 1  # frames of the window before each one
    after: int = 1  # and after it


@dataclass(frozen=True)
class Response:
    """How curves of one kind are filtered."""

    cutoff: float  # hertz at rest
    slope: float  # hertz for each unit of speed
    together: bool  # whether one speed opens the filter of all of them


@dataclass
class OneEuro:
    """A one-euro filter over N values, for one frame after the other."""

    response: Response
    _value: np.ndarray | None = field(default=None, init=False)
    _time: float = field(default=0.0, init=False)
    _velocity: np.ndarray | None = field(default=None, init=False)

    def __call__(self, time: float, value: np.ndarray) -> np.ndarray:
        """The smoothed values (N,) at a time in seconds, which grows from call to call."""
        if self._value is None or self._velocity is None:
            self._value, self._velocity, self._time = value, np.zeros_like(value), time
            return value
        step = max(time - self._time, 1e-6)
        velocity = (value - self._value) / step
        self._velocity = self._velocity + _share(_SPEED_CUTOFF, step) * (velocity - self._velocity)
        speed = np.abs(self._velocity)
        if self.response.together:
            speed = np.full_like(speed, np.linalg.norm(speed))
        cutoff = self.response.cutoff + self.response.slope * speed
        self._value = self._value + _share(cutoff, step) * (value - self._value)
        self._time = time
        return self._value


def smooth(times: np.ndarray, values: np.ndarray, how: Smoothing, response: Response) -> np.ndarray:
    """Curves (F, N) of frames at times (F,) in seconds, smoothed."""
    if how.method == "none" or len(values) < 2:
        return values
    if how.method == "window":
        return _window_mean(values, how.before, how.after)
    forward = _filtered(times, values, response)
    backward = _filtered(-times[::-1], values[::-1], response)[::-1]
    return (forward + backward) / 2


def _filtered(times: np.ndarray, values: np.ndarray, response: Response) -> np.ndarray:
    one_euro = OneEuro(response)
    return np.stack([one_euro(float(time), value) for time, value in zip(times, values)])


def _window_mean(values: np.ndarray, before: int, after: int) -> np.ndarray:
    """At either end, of the frames that there are."""
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    number = np.arange(len(values))
    first, last = np.maximum(number - before, 0), np.minimum(number + after + 1, len(values))
    return (total[last] - total[first]) / (last - first)[:, None]


def _share(cutoff: np.ndarray | float, step: float) -> np.ndarray | float:
    """Of a new value in an exponential mean, for a cut-off in hertz and a step in seconds."""
    turns = 2 * np.pi * cutoff * step
    return turns / (turns + 1)
