"""Fitting several photos at once, those of one person with one identity: expression, pose and perspective are each
photo's own.

The energy is that of `fit_landmarks`, summed over the photos: each brings the network's prediction as a prior. A
Gauss-Newton step is solved by the Schur complement: once each photo's own unknowns are eliminated, 80 equations are
left for each person, to which every photo adds its information about the identity. A profile adds depth, a frontal
photo width, a blurred one little.
"""

from __future__ import annotations

import numpy as np

from deep3d.camera import DEEP3D_CAMERA
from deep3d.coefficients import IDENTITY, FaceCoefficients
from deep3d.errors import ShapeError
from deep3d.fitting.basis import LandmarkBasis
from deep3d.fitting.iteration import POSE, FaceState, apply_step, initial_state, project_landmarks, to_coefficients
from deep3d.fitting.landmarks import ITERATIONS, Fit, Priors, fit_error, normal_equations, shared_priors

PRIORS = Priors()


def fit_together(
    basis: LandmarkBasis,
    points: np.ndarray,
    deviation: np.ndarray,
    start: FaceCoefficients,
    person: np.ndarray,
    priors: Priors = PRIORS,
) -> Fit:
    """Fit B photos to (B, N, 2) landmarks in crop pixels with (B, N) standard deviations.

    `person` (B,) is the number, from 0, of the person in each photo. Photos of one person must start with one identity,
    which is the prior; in the result they share another. A photo whose own fit fails keeps the rest of its start.

    Raises: ShapeError if the landmarks do not match the basis or there is no number for each photo.
    """
    if (
        points.shape[1:] != (len(basis.mean), 2)
        or deviation.shape != points.shape[:2]
        or person.shape != points.shape[:1]
    ):
        raise ShapeError(
            f"landmarks: expected (B, {len(basis.mean)}, 2) points, as many deviations and B people, got "
            f"{points.shape}, {deviation.shape} and {person.shape}"
        )
    state = first = initial_state(start)
    for _ in range(ITERATIONS):
        normal, gradient = _equations(basis, state, first, points, deviation, person, priors)
        state = apply_step(basis, state, _joint_step(normal, gradient, person, basis.identities))
    before, after = (fit_error(project_landmarks(basis, which).pixels, points, deviation) for which in (first, state))
    sound = ~np.isin(person, person[~np.isfinite(after)])  # one photo with NaN affects all photos of its person
    kept = sound & (after <= before)
    coefficients, cameras = to_coefficients(basis, state, start)
    vectors = np.where(kept[:, None], coefficients.to_vector(), start.to_vector())
    vectors[sound, IDENTITY] = coefficients.identity[sound]
    return Fit(
        FaceCoefficients.from_vector(vectors),
        tuple(camera if good else DEEP3D_CAMERA for camera, good in zip(cameras, kept, strict=True)),
        np.where(kept, after, before),
        kept,
    )


def _equations(
    basis: LandmarkBasis,
    state: FaceState,
    first: FaceState,
    points: np.ndarray,
    deviation: np.ndarray,
    person: np.ndarray,
    priors: Priors,
) -> tuple[np.ndarray, np.ndarray]:
    """As `normal_equations`, with each photo's share of the priors of its person."""
    unknowns = POSE + basis.directions.shape[-1]
    normal, gradient = np.empty((len(points), unknowns, unknowns)), np.empty((len(points), unknowns))
    for number in np.unique(person):
        rows = person == number
        own = shared_priors(priors, int(rows.sum()))
        now, then = (FaceState(**{name: each[rows] for name, each in vars(one).items()}) for one in (state, first))
        normal[rows], gradient[rows] = normal_equations(basis, now, then, points[rows], deviation[rows], own)
    return normal, gradient


def _joint_step(normal: np.ndarray, gradient: np.ndarray, person: np.ndarray, identities: int) -> np.ndarray:
    """The step (B, 7 + K) of all photos, with the same identity part for all photos of a person."""
    shared = np.arange(POSE, POSE + identities)
    own = np.setdiff1d(np.arange(normal.shape[-1]), shared)
    mixed = normal[:, own[:, None], shared]  # (B, own, shared)
    eliminated = np.linalg.solve(normal[:, own[:, None], own], np.concatenate([mixed, gradient[:, own, None]], axis=2))
    people, members = np.unique(person, return_inverse=True)
    left = np.zeros((len(people), identities, identities))
    right = np.zeros((len(people), identities))
    np.add.at(left, members, normal[:, shared[:, None], shared] - mixed.mT @ eliminated[..., :-1])
    np.add.at(right, members, gradient[:, shared] - (mixed.mT @ eliminated[..., -1:])[..., 0])
    step = np.empty_like(gradient)
    step[:, shared] = np.linalg.solve(left, right[..., None])[members, :, 0]
    step[:, own] = eliminated[..., -1] - (eliminated[..., :-1] @ step[:, shared, None])[..., 0]
    return step
