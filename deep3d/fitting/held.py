"""Fitting one person whose identity is known: pose, perspective and expression are left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deep3d.coefficients import FaceCoefficients
from deep3d.fitting.basis import LandmarkBasis
from deep3d.fitting.iteration import FaceState, apply_step, initial_state, project_landmarks
from deep3d.fitting.landmarks import ITERATIONS, SETTLED, Priors, fit_error, normal_equations


def held_basis(basis: LandmarkBasis, identity: np.ndarray) -> LandmarkBasis:
    """The basis of a person with this identity (80,): its shape coefficients are expressions alone."""
    count = basis.identities
    mean = basis.mean + basis.directions[..., :count] @ identity
    return LandmarkBasis(
        mean.astype(basis.mean.dtype), np.ascontiguousarray(basis.directions[..., count:]), 0, basis.limits[:, count:]
    )


def fit_held(
    basis: LandmarkBasis, points: np.ndarray, deviation: np.ndarray, start: FaceCoefficients, priors: Priors
) -> FaceState:
    """The states of B faces of a `held_basis` that fit (B, N, 2) landmarks in crop pixels, with (B, N) deviations.

    Expression is kept near that of the start, whose own identity does not count. Where a fit goes astray the start is
    given.
    """
    first = state = initial_state(replace(start, identity=np.empty((len(start), 0), np.float32)))
    for _ in range(ITERATIONS):
        normal, gradient = normal_equations(basis, state, first, points, deviation, priors)
        step = np.linalg.solve(normal, gradient[..., None])[..., 0]
        state = apply_step(basis, state, step)
        if np.abs(step).max(initial=0) < SETTLED:
            break
    before, after = (fit_error(project_landmarks(basis, each).pixels, points, deviation) for each in (first, state))
    better = after <= before  # false for what is not a number, too
    return FaceState(
        **{
            name: np.where(better.reshape(-1, *[1] * (value.ndim - 1)), value, getattr(first, name))
            for name, value in vars(state).items()
        }
    )
