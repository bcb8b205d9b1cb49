"""Fitting several photos at once, those of one person with one identity: expression, pose and perspective are each
photo's own.

The energy is that of `fit_landmarks`, summed over the photos: each brings what the network says of it as a prior. A
Gauss-Newton step is solved by the Schur complement: once each photo's own unknowns are eliminated, 80 equations are
left for each person, to which every photo adds what its landmarks tell of the identity. A profile adds depth, a frontal
photo width, a blurred one little.
"""

from __future__ import annotations

import numpy as np

from deep3d.camera import DEEP3D_CAMERA
from deep3d.coefficients import IDENTITY, FaceCoefficients
from deep3d.errors import ShapeError
from deep3d.fitting.basis import LandmarkBasis
from deep3d.fitting.iteration import FaceState, finished, jacobian_of, look, started, stepped
from deep3d.fitting.landmarks import ITERATIONS, Fit, Priors, fit_error, precision_of

PRIORS = Priors()
POSE = 7  # turn, shift, scale, perspective: the first unknowns of a photo


def fit_together(
    basis: LandmarkBasis,
    points: np.ndarray,
    deviation: np.ndarray,
    start: FaceCoefficients,
    person: np.ndarray,
    priors: Priors = PRIORS,
) -> Fit:
    """Fit B photos to (B, N, 2) landmarks in crop pixels with (B, N) standard deviations.

    `person` (B,) numbers who is in each photo, from 0. Photos of one person must start with one identity, which is what
    is believed of the person; in the result they share another. A photo whose own fit goes astray keeps its start, but
    for the identity.

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
    state = first = started(start)
    precision = precision_of(basis, priors)
    weight = np.repeat(np.sqrt(priors.trust) / deviation, 2, axis=1)  # (B, 2 N), column and row of each landmark
    for _ in range(ITERATIONS):
        view = look(basis, state)
        residual = weight * (points - view.pixels).reshape(weight.shape)
        jacobian = jacobian_of(basis, state, view) * weight[..., None]
        step = _joint_step(jacobian, residual, _pull(state, first, priors), precision, person, basis.identities)
        state = stepped(basis, state, step)
    before, after = (fit_error(look(basis, which).pixels, points, deviation) for which in (first, state))
    sound = ~np.isin(person, person[~np.isfinite(after)])  # one photo without numbers spoils those of its person
    kept = sound & (after <= before)
    coefficients, cameras = finished(basis, state, start)
    vectors = np.where(kept[:, None], coefficients.to_vector(), start.to_vector())
    vectors[sound, IDENTITY] = coefficients.identity[sound]
    return Fit(
        FaceCoefficients.from_vector(vectors),
        tuple(camera if good else DEEP3D_CAMERA for camera, good in zip(cameras, kept, strict=True)),
        np.where(kept, after, before),
        kept,
    )


def _pull(state: FaceState, first: FaceState, priors: Priors) -> np.ndarray:
    """How far (B, 7 + K) the priors would move each unknown."""
    pull = np.zeros((len(state.shape), POSE + state.shape.shape[1]))
    pull[:, 6] = priors.perspective_mean - state.perspective
    pull[:, POSE:] = first.shape - state.shape
    return pull


def _joint_step(
    jacobian: np.ndarray,
    residual: np.ndarray,
    pull: np.ndarray,
    precision: np.ndarray,
    person: np.ndarray,
    identities: int,
) -> np.ndarray:
    """The step (B, 7 + K) of all photos, whose identity part is the same for all photos of a person."""
    shared = np.arange(POSE, POSE + identities)
    own = np.setdiff1d(np.arange(jacobian.shape[-1]), shared)
    normal = jacobian.mT @ jacobian + np.diag(precision + 1e-6)
    gradient = (jacobian.mT @ residual[..., None])[..., 0] + precision * pull
    mixed = normal[:, own[:, None], shared]  # (B, own, shared)
    eliminated = np.linalg.solve(normal[:, own[:, None], own], np.concatenate([mixed, gradient[:, own, None]], axis=2))
    people, members = np.unique(person, return_inverse=True)
    left = np.zeros((len(people), identities, identities))
    right = np.zeros((len(people), identities))
    np.add.at(left, members, normal[:, shared[:, None], shared] - mixed.mT @ eliminated[..., :-1])
    np.add.at(right, members, gradient[:, shared] - (mixed.mT @ eliminated[..., -1:])[..., 0])
    step = np.empty_like(pull)
    step[:, shared] = np.linalg.solve(left, right[..., None])[members, :, 0]
    step[:, own] = eliminated[..., -1] - (eliminated[..., :-1] @ step[:, shared, None])[..., 0]
    return step
