"""Fitting to 2D landmarks: the most probable face, pose and perspective, by Gauss-Newton with analytic derivatives.

The energy is that of Wood et al. (2022), "3D face reconstruction with dense landmarks", eq. 2: landmark distances in
units of their deviation, and priors over identity, expression and perspective.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deep3d.camera import DEEP3D_CAMERA, Camera
from deep3d.coefficients import FaceCoefficients
from deep3d.errors import ShapeError
from deep3d.fitting.basis import LandmarkBasis
from deep3d.fitting.iteration import (
    POSE,
    FaceState,
    apply_step,
    initial_state,
    jacobian_of,
    project_landmarks,
    to_coefficients,
)

LANDMARK68_TRUST = 3.0
"""The 68 landmarks were also learned from real photos, the other dense ones from synthetic heads only."""
ALIKE = 0.6
"""Share of the variance of the regressed identity that all photos of a person have in common."""
ITERATIONS = 8  # at most
SETTLED = 0.2  # largest step, in any unit: the next one is thirty times smaller


@dataclass(frozen=True)
class Priors:
    """Prior weights and deviations of a fit."""

    trust: float = 0.1
    """Weight of the landmarks: their errors are correlated, so N of them contain less information than N."""
    identity: float = 0.9  # of the model's standard deviations, about the regressed identity
    expression: float = 0.25  # of full weight, about the regressed expression
    displacement: float = 1.0  # of the standard deviations of `free_displacements`
    perspective_mean: float = 0.09  # per decimetre
    perspective: float = 0.05


def shared_priors(priors: Priors, views: int) -> Priors:
    """The priors of each of so many views of one person: its share of the person's.

    The regressed identities of one person err alike, so that the prior about their mean is hardly stronger than one
    photo's. Displacements have the prior of one photo.
    """
    alike = np.sqrt(1 + ALIKE * (views - 1))
    return replace(priors, identity=priors.identity * alike, displacement=priors.displacement * np.sqrt(views))


@dataclass(frozen=True)
class Fit:
    """B fitted faces."""

    coefficients: FaceCoefficients
    cameras: tuple[Camera, ...]  # B, in whose crop pixels the landmarks are
    error: np.ndarray  # (B,) root mean square of the landmarks' distances in units of their deviations
    kept: np.ndarray  # (B,) bool: whether the fit is nearer to the landmarks than its start, which is kept otherwise


def fit_landmarks(
    basis: LandmarkBasis,
    points: np.ndarray,
    deviation: np.ndarray,
    start: FaceCoefficients,
    priors: Priors = Priors(),
) -> Fit:
    """Fit faces to (B, N, 2) landmarks in crop pixels with (B, N) standard deviations, from regressed coefficients.

    Albedo and lighting stay as they are. Identity and expression stay near the regressed ones, which contain more than
    the landmarks show, and within the limits of the basis.

    Raises: ShapeError if the landmarks do not match the basis.
    """
    if points.shape[1:] != (len(basis.mean), 2) or deviation.shape != points.shape[:2]:
        raise ShapeError(
            f"landmarks: expected (B, {len(basis.mean)}, 2) points and as many deviations, got {points.shape} and "
            f"{deviation.shape}"
        )
    state, before, after = descend(basis, initial_state(start), points, deviation, priors)
    kept = after <= before  # false for what is not a number, too
    coefficients, cameras = to_coefficients(basis, state, start)
    return Fit(
        FaceCoefficients.from_vector(np.where(kept[:, None], coefficients.to_vector(), start.to_vector())),
        tuple(camera if good else DEEP3D_CAMERA for camera, good in zip(cameras, kept, strict=True)),
        np.where(kept, after, before),
        kept,
    )


def descend(
    basis: LandmarkBasis, first: FaceState, points: np.ndarray, deviation: np.ndarray, priors: Priors
) -> tuple[FaceState, np.ndarray, np.ndarray]:
    """The states that Gauss-Newton steps reach from the first ones, and the errors (B,) before and after."""
    state = first
    for _ in range(ITERATIONS):
        normal, gradient = normal_equations(basis, state, first, points, deviation, priors)
        step = np.linalg.solve(normal, gradient[..., None])[..., 0]
        state = apply_step(basis, state, step)
        if np.abs(step).max(initial=0) < SETTLED:
            break
    before, after = (fit_error(project_landmarks(basis, each).pixels, points, deviation) for each in (first, state))
    return state, before, after


def trusted_deviation(deviation: np.ndarray) -> np.ndarray:
    """The deviations (B, N) of dense landmarks for a fit; the first 68 are `landmarks68`."""
    trusted = deviation.copy()
    trusted[:, :68] /= LANDMARK68_TRUST
    return trusted


def normal_equations(
    basis: LandmarkBasis,
    state: FaceState,
    first: FaceState,
    points: np.ndarray,
    deviation: np.ndarray,
    priors: Priors,
) -> tuple[np.ndarray, np.ndarray]:
    """Matrix (B, 7 + K, 7 + K) and right side (B, 7 + K) of the step from a state; the priors are about `first`."""
    view = project_landmarks(basis, state)
    weight = np.repeat(np.sqrt(priors.trust) / deviation, 2, axis=1)  # (B, 2 N), column and row of each landmark
    residual = weight * (points - view.pixels).reshape(weight.shape)
    jacobian = jacobian_of(basis, state, view)
    jacobian *= weight[..., None].astype(np.float32)
    precision = _precision(basis, jacobian.shape[-1], priors)
    pull = np.zeros((len(points), len(precision)))
    pull[:, POSE - 1] = precision[POSE - 1] * (priors.perspective_mean - state.perspective)
    pull[:, POSE:] = precision[POSE:] * (first.shape - state.shape)
    normal = jacobian.mT @ jacobian + np.diag(precision + 1e-6)
    return normal, (jacobian.mT @ residual[..., None].astype(np.float32))[..., 0] + pull


def fit_covariance(
    basis: LandmarkBasis, fit: Fit, points: np.ndarray, deviation: np.ndarray, priors: Priors = Priors()
) -> np.ndarray:
    """(B, 144, 144) covariance of identity and expression of fitted faces: the inverse of the normal matrix there."""
    shape = slice(POSE, POSE + basis.linear)
    covariances = []
    for number, camera in enumerate(fit.cameras):
        state, row = initial_state(fit.coefficients[number], camera), slice(number, number + 1)
        normal, _ = normal_equations(basis, state, state, points[row], deviation[row], priors)
        covariances.append(np.linalg.inv(normal[0])[shape, shape])
    return np.stack(covariances)


def prior_covariance(basis: LandmarkBasis, priors: Priors) -> np.ndarray:
    """(144, 144) covariance of identity and expression by the priors alone."""
    return np.diag(1 / _precision(basis, POSE + basis.linear, priors)[POSE:])


def _precision(basis: LandmarkBasis, unknowns: int, priors: Priors) -> np.ndarray:
    """(7 + K,) inverse variances of the unknowns: 0 without a prior."""
    precision = np.zeros(unknowns)
    precision[POSE - 1] = priors.perspective**-2
    precision[POSE:] = priors.displacement**-2
    precision[POSE : POSE + basis.linear] = priors.expression**-2
    precision[POSE : POSE + basis.identities] = priors.identity**-2
    return precision


def fit_error(pixels: np.ndarray, points: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """(B,) root mean square of the distances of (B, N, 2) pixels and points, in units of (B, N) deviations."""
    distances = np.linalg.norm(pixels - points, axis=-1)
    return np.sqrt(((distances / deviation) ** 2).mean(axis=1))
