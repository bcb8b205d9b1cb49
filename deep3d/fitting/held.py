"""Fitting one person whose identity is known: pose, perspective and expression are left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deep3d.coefficients import FaceCoefficients
from deep3d.fitting.basis import LandmarkBasis
from deep3d.fitting.iteration import FaceState, initial_state
from deep3d.fitting.landmarks import Priors, descend


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

    Expression stays near that of the start, whose own identity is ignored. A fit that fails gives the start.
    """
    first = initial_state(replace(start, identity=np.empty((len(start), 0), np.float32)))
    state, before, after = descend(basis, first, points, deviation, priors)
    better = after <= before  # false for what is not a number, too
    return FaceState(
        **{
            name: np.where(better.reshape(-1, *[1] * (value.ndim - 1)), value, getattr(first, name))
            for name, value in vars(state).items()
        }
    )
