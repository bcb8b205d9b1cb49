"""The unknowns of a fit to landmarks and colours (pose, shape and colours of one face), and the equations of a step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.coefficients import ALBEDO_COUNT, LIGHTING_COUNT
from deep3d.fitting.basis import LandmarkBasis
from deep3d.fitting.iteration import POSE, FaceState, apply_step
from deep3d.fitting.reflectance import Reflectance

COLOURS = ALBEDO_COUNT + LIGHTING_COUNT + 1  # unknowns after pose and shape: albedo, light, occlusion


@dataclass(frozen=True)
class FittedFace:
    """The state of one face in the iteration."""

    state: FaceState  # B = 1
    skin: Reflectance
    occlusion: float  # exponent of the sky's visibility that scales the light

    def apply_step(self, basis: LandmarkBasis, step: np.ndarray) -> FittedFace:
        """The state after a step (7 + K + 108,)."""
        moved, colours, (darker,) = np.split(step, [POSE + self.state.shape.shape[1], -1])
        occlusion = max(self.occlusion + float(darker), 0.0)
        return FittedFace(apply_step(basis, self.state, moved[None]), self.skin.apply_step(colours), occlusion)


@dataclass(frozen=True)
class Equations:
    """Normal equations of a step: of pose and shape alone, or of all unknowns."""

    normal: np.ndarray  # (U, U)
    gradient: np.ndarray  # (U,)

    def at(self, places: np.ndarray, unknowns: int) -> Equations:
        """These equations expanded to so many unknowns; theirs are at `places` (U,)."""
        normal, gradient = np.zeros((unknowns, unknowns)), np.zeros(unknowns)
        normal[np.ix_(places, places)], gradient[places] = self.normal, self.gradient
        return Equations(normal, gradient)

    def __add__(self, other: Equations) -> Equations:
        """The sum; the shorter equations belong to the first unknowns of the longer."""
        long, short = (self, other) if len(self.gradient) >= len(other.gradient) else (other, self)
        normal, gradient, count = long.normal.copy(), long.gradient.copy(), len(short.gradient)
        normal[:count, :count] += short.normal
        gradient[:count] += short.gradient
        return Equations(normal, gradient)

    def solve(self) -> np.ndarray:
        """The step (U,)."""
        return np.linalg.solve(self.normal, self.gradient)
