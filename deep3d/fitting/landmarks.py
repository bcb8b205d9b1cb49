"""Fitting to 2D landmarks: the most probable face, pose and perspective, by Gauss-Newton with analytic derivatives.

The energy is that of Wood et al. (2022), "3D face reconstruction with dense landmarks", eq. 2: landmark distances in
units of their deviation, and priors over identity, expression and perspective. Pixel coordinates of a point that the
head's rotation takes to (x, y, z) are

    column = c + s (x + tx) / (1 - p z),    row = r - s (y + ty) / (1 - p z)

with the scale s in pixels per decimetre and the perspective p, which is 1 / distance of the camera. Scale and
perspective vary almost independently, unlike focal length s / p and distance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deep3d.camera import DEEP3D_CAMERA, Camera, rotation_angles, rotation_matrix
from deep3d.coefficients import FaceCoefficients
from deep3d.errors import ShapeError
from deep3d.fitting.basis import LandmarkBasis

ITERATIONS = 8
LARGEST_TURN = 0.3  # radians in one iteration
PERSPECTIVES = (0.02, 0.33)  # per decimetre: cameras from 5 metres down to a selfie at 30 centimetres


@dataclass(frozen=True)
class Priors:
    """What is believed before the landmarks are seen. Deviations in the units of what they belong to."""

    trust: float = 0.05
    """Weight of the landmarks: their errors go together, so that N of them tell less than N."""
    identity: float = 0.6  # of the model's standard deviations, about the regressed identity
    expression: float = 0.25  # of full weight, about the regressed expression
    perspective_mean: float = 0.09  # per decimetre
    perspective: float = 0.05


@dataclass(frozen=True)
class Fit:
    """B fitted faces."""

    coefficients: FaceCoefficients
    cameras: tuple[Camera, ...]  # B, in whose crop pixels the landmarks are
    error: np.ndarray  # (B,) root mean square of the landmarks' distances in units of their deviations
    kept: np.ndarray  # (B,) bool: whether the fit is nearer to the landmarks than its start, which stands otherwise


@dataclass
class _State:
    """Where the iteration stands, for B faces."""

    turn: np.ndarray  # (B, 3, 3)
    shift: np.ndarray  # (B, 2) decimetres
    scale: np.ndarray  # (B,) logarithm of pixels per decimetre
    perspective: np.ndarray  # (B,) per decimetre
    shape: np.ndarray  # (B, K)


def fit_landmarks(
    basis: LandmarkBasis,
    points: np.ndarray,
    deviation: np.ndarray,
    start: FaceCoefficients,
    priors: Priors = Priors(),
) -> Fit:
    """Fit faces to (B, N, 2) landmarks in crop pixels with (B, N) standard deviations, from regressed coefficients.

    Albedo and lighting stay as they are. Identity and expression are kept near the regressed ones, which know what the
    outlines do not show, and within the limits of the basis.

    Raises: ShapeError if the landmarks do not match the basis.
    """
    if points.shape[1:] != (len(basis.mean), 2) or deviation.shape != points.shape[:2]:
        raise ShapeError(
            f"landmarks: expected (B, {len(basis.mean)}, 2) points and as many deviations, got {points.shape} and "
            f"{deviation.shape}"
        )
    state = first = _started(start)
    prior_weight = _shape_prior(basis, priors)
    weight = np.repeat(np.sqrt(priors.trust) / deviation, 2, axis=1)  # (B, 2 N), column and row of each landmark
    for _ in range(ITERATIONS):
        residual, jacobian = _linearised(basis, state, points)
        jacobian *= weight[..., None]
        residual *= weight
        precision = np.zeros(jacobian.shape[-1])
        precision[6] = priors.perspective**-2
        precision[7:] = prior_weight
        pull = np.zeros((len(points), len(precision)))
        pull[:, 6] = precision[6] * (priors.perspective_mean - state.perspective)
        pull[:, 7:] = precision[7:] * (first.shape - state.shape)
        normal = jacobian.mT @ jacobian + np.diag(precision + 1e-6)
        step = np.linalg.solve(normal, ((jacobian.mT @ residual[..., None])[..., 0] + pull)[..., None])[..., 0]
        state = _stepped(basis, state, step)
    before, after = (_error(basis, which, points, deviation) for which in (first, state))
    kept = after <= before  # false for what is not a number, too
    coefficients, cameras = _finished(basis, state, start)
    return Fit(
        FaceCoefficients.from_vector(np.where(kept[:, None], coefficients.to_vector(), start.to_vector())),
        tuple(camera if good else DEEP3D_CAMERA for camera, good in zip(cameras, kept, strict=True)),
        np.where(kept, after, before),
        kept,
    )


def _started(start: FaceCoefficients) -> _State:
    """The regressed face as its fixed camera sees it."""
    camera = DEEP3D_CAMERA
    distance = camera.distance - start.translation[:, 2].astype(np.float64)
    return _State(
        turn=rotation_matrix(start.rotation.astype(np.float64)),
        shift=start.translation[:, :2].astype(np.float64),
        scale=np.log(camera.focal_length_px / distance),
        perspective=1 / distance,
        shape=np.concatenate([start.identity, start.expression], axis=1).astype(np.float64),
    )


def _shape_prior(basis: LandmarkBasis, priors: Priors) -> np.ndarray:
    """(K,) inverse variances."""
    weight = np.full(basis.directions.shape[-1], priors.expression**-2)
    weight[: basis.identities] = priors.identity**-2
    return weight


def _linearised(basis: LandmarkBasis, state: _State, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is missing to the landmarks (B, 2 N), and the derivatives (B, 2 N, 7 + K) of the projection.

    Columns: a turn about x, y, z; the shift; the logarithm of the scale; the perspective; the shape.
    """
    count, landmarks = len(points), len(basis.mean)
    flat = basis.directions.reshape(landmarks * 3, -1)
    shape = basis.mean + (state.shape @ flat.T).reshape(count, landmarks, 3)
    x, y, z = np.moveaxis(shape @ state.turn.mT, -1, 0)  # (B, N) each
    across, up = x + state.shift[:, :1], y + state.shift[:, 1:]
    near = 1 / (1 - state.perspective[:, None] * z)
    zoom = np.exp(state.scale)[:, None] * near
    camera = DEEP3D_CAMERA
    column, row = zoom * across, -zoom * up  # about the principal point
    residual = np.stack([points[..., 0] - camera.column - column, points[..., 1] - camera.row - row], axis=-1)

    pull = state.perspective[:, None] * near  # relative growth of the zoom with z
    moved = np.empty((count, landmarks, 2, 3))  # derivatives by x, y, z
    moved[..., 0, 0], moved[..., 0, 1], moved[..., 0, 2] = zoom, 0, column * pull
    moved[..., 1, 0], moved[..., 1, 1], moved[..., 1, 2] = 0, -zoom, row * pull
    jacobian = np.empty((count, landmarks, 2, 7 + flat.shape[1]))
    zero = np.zeros_like(x)
    turned = np.stack([zero, z, -y, -z, zero, x, y, -x, zero], axis=-1).reshape(count, landmarks, 3, 3)
    jacobian[..., :3] = moved @ turned
    jacobian[..., 3:5] = moved[..., :2]
    jacobian[..., 5] = np.stack([column, row], axis=-1)
    jacobian[..., 6] = np.stack([column, row], axis=-1) * (near * z)[..., None]
    jacobian[..., 7:] = (moved @ state.turn[:, None]) @ basis.directions
    return residual.reshape(count, -1), jacobian.reshape(count, 2 * landmarks, -1)


def _stepped(basis: LandmarkBasis, state: _State, step: np.ndarray) -> _State:
    angle = np.linalg.norm(step[:, :3], axis=1, keepdims=True)
    turn = step[:, :3] * np.minimum(1, LARGEST_TURN / np.maximum(angle, 1e-12))
    return _State(
        turn=rotation_matrix(turn) @ state.turn,
        shift=state.shift + step[:, 3:5],
        scale=state.scale + step[:, 5].clip(-0.5, 0.5),
        perspective=(state.perspective + step[:, 6]).clip(*PERSPECTIVES),
        shape=(state.shape + step[:, 7:]).clip(*basis.limits),
    )


def _error(basis: LandmarkBasis, state: _State, points: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    residual, _ = _linearised(basis, state, points)
    distances = np.linalg.norm(residual.reshape(points.shape), axis=-1)
    return np.sqrt(((distances / deviation) ** 2).mean(axis=1))


def _finished(
    basis: LandmarkBasis, state: _State, start: FaceCoefficients
) -> tuple[FaceCoefficients, tuple[Camera, ...]]:
    """What the state says in the project's own terms."""
    distance = 1 / state.perspective
    translation = np.column_stack([state.shift, DEEP3D_CAMERA.distance - distance])
    focal_lengths = np.exp(state.scale) * distance
    coefficients = replace(
        start,
        identity=state.shape[:, : basis.identities].astype(np.float32),
        expression=state.shape[:, basis.identities :].astype(np.float32),
        rotation=rotation_angles(state.turn).astype(np.float32),
        translation=translation.astype(np.float32),
    )
    return coefficients, tuple(replace(DEEP3D_CAMERA, focal_length_px=float(f)) for f in focal_lengths)
