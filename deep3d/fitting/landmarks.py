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

ITERATIONS = 8  # at most
SETTLED = 3e-5  # largest step, in any unit, after which more of them change a result by rounding alone
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


@dataclass(frozen=True)
class _View:
    """Where a state shows the landmarks, (B, N) each, and what its derivatives are made of."""

    turned: np.ndarray  # (B, N, 3) x, y, z after the head's rotation
    near: np.ndarray  # 1 / (1 - p z)
    zoom: np.ndarray  # s / (1 - p z)
    about: np.ndarray  # (B, N, 2) pixels from the principal point

    @property
    def pixels(self) -> np.ndarray:
        """(B, N, 2)"""
        return self.about + [DEEP3D_CAMERA.column, DEEP3D_CAMERA.row]


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
    precision = _precision(basis, priors)
    weight = np.repeat(np.sqrt(priors.trust) / deviation, 2, axis=1)  # (B, 2 N), column and row of each landmark
    for _ in range(ITERATIONS):
        view = _look(basis, state)
        residual = weight * (points - view.pixels).reshape(weight.shape)
        jacobian = _jacobian(basis, state, view)
        jacobian *= weight[..., None]
        pull = np.zeros((len(points), len(precision)))
        pull[:, 6] = precision[6] * (priors.perspective_mean - state.perspective)
        pull[:, 7:] = precision[7:] * (first.shape - state.shape)
        normal = jacobian.mT @ jacobian + np.diag(precision + 1e-6)
        step = np.linalg.solve(normal, ((jacobian.mT @ residual[..., None])[..., 0] + pull)[..., None])[..., 0]
        state = _stepped(basis, state, step)
        if np.abs(step).max(initial=0) < SETTLED:
            break
    before, after = (_error(_look(basis, which).pixels, points, deviation) for which in (first, state))
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


def _precision(basis: LandmarkBasis, priors: Priors) -> np.ndarray:
    """(7 + K,) inverse variances of what `_jacobian` derives by: 0 for what nothing is believed of."""
    precision = np.zeros(7 + basis.directions.shape[-1])
    precision[6] = priors.perspective**-2
    precision[7:] = priors.expression**-2
    precision[7 : 7 + basis.identities] = priors.identity**-2
    return precision


def _look(basis: LandmarkBasis, state: _State) -> _View:
    offsets = state.shape @ basis.directions.reshape(basis.mean.size, -1).T
    turned = (basis.mean + offsets.reshape(-1, *basis.mean.shape)) @ state.turn.mT
    near = 1 / (1 - state.perspective[:, None] * turned[..., 2])
    zoom = np.exp(state.scale)[:, None] * near
    return _View(turned, near, zoom, zoom[..., None] * (turned[..., :2] + state.shift[:, None]) * [1, -1])


def _jacobian(basis: LandmarkBasis, state: _State, view: _View) -> np.ndarray:
    """Derivatives (B, 2 N, 7 + K) of the pixels.

    Columns: a turn about x, y, z; the shift; the logarithm of the scale; the perspective; the shape.
    """
    x, y, z = np.moveaxis(view.turned, -1, 0)
    zero = np.zeros_like(x)
    by_place = np.zeros((*x.shape, 2, 3))  # by x, y, z
    by_place[..., 0, 0], by_place[..., 1, 1] = view.zoom, -view.zoom
    by_place[..., 2] = view.about * (state.perspective[:, None] * view.near)[..., None]
    jacobian = np.empty((*x.shape, 2, 7 + basis.directions.shape[-1]))
    turns = np.stack([zero, z, -y, -z, zero, x, y, -x, zero], axis=-1).reshape(*x.shape, 3, 3)
    jacobian[..., :3] = by_place @ turns
    jacobian[..., 3:5] = by_place[..., :2]
    jacobian[..., 5] = view.about
    jacobian[..., 6] = view.about * (view.near * z)[..., None]
    jacobian[..., 7:] = (by_place @ state.turn[:, None]) @ basis.directions
    return jacobian.reshape(len(x), -1, jacobian.shape[-1])


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


def _error(pixels: np.ndarray, points: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    distances = np.linalg.norm(pixels - points, axis=-1)
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
