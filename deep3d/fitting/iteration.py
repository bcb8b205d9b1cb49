"""The steps of a fit: the state of the faces, the projection of their landmarks, and its derivatives.

Pixel coordinates of a point that the head's rotation takes to (x, y, z) are

    column = c + s (x + tx) / (1 - p z),    row = r - s (y + ty) / (1 - p z)

with the scale s in pixels per decimetre and the perspective p, which is 1 / distance of the camera. Scale and
perspective vary almost independently, unlike focal length s / p and distance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numba
import numpy as np

from deep3d.camera import DEEP3D_CAMERA, Camera, rotation_angles, rotation_matrix
from deep3d.coefficients import FaceCoefficients
from deep3d.fitting.basis import LandmarkBasis

POSE = 7  # unknowns of a face before its shape: turn, shift, scale, perspective
LARGEST_TURN = 0.3  # radians in one iteration
PERSPECTIVES = (0.02, 0.33)  # per decimetre: cameras from 5 metres down to a selfie at 30 centimetres


@dataclass
class FaceState:
    """The state of B faces in the iteration."""

    turn: np.ndarray  # (B, 3, 3)
    shift: np.ndarray  # (B, 2) decimetres
    scale: np.ndarray  # (B,) logarithm of pixels per decimetre
    perspective: np.ndarray  # (B,) per decimetre
    shape: np.ndarray  # (B, K) identity, expression, displacement if there is some

    def knowing(self, unknowns: int) -> FaceState:
        """The state with only the first so many shape unknowns."""
        return replace(self, shape=self.shape[:, :unknowns])


@dataclass(frozen=True)
class LandmarkView:
    """The projected landmarks of a state, (B, N) each, and terms of the derivatives."""

    turned: np.ndarray  # (B, N, 3) x, y, z after the head's rotation
    near: np.ndarray  # 1 / (1 - p z)
    zoom: np.ndarray  # s / (1 - p z)
    about: np.ndarray  # (B, N, 2) pixels from the principal point

    @property
    def pixels(self) -> np.ndarray:
        """(B, N, 2)"""
        return self.about + [DEEP3D_CAMERA.column, DEEP3D_CAMERA.row]


def initial_state(start: FaceCoefficients, camera: Camera = DEEP3D_CAMERA, displacements: int = 0) -> FaceState:
    """The state of faces seen by a camera (the fixed one for regressed faces), with so many zero displacements."""
    distance = camera.distance - start.translation[:, 2].astype(np.float64)
    return FaceState(
        turn=rotation_matrix(start.rotation.astype(np.float64)),
        shift=start.translation[:, :2].astype(np.float64),
        scale=np.log(camera.focal_length_px / distance),
        perspective=1 / distance,
        shape=np.pad(
            np.concatenate([start.identity, start.expression], axis=1).astype(np.float64), [(0, 0), (0, displacements)]
        ),
    )


def project_landmarks(basis: LandmarkBasis, state: FaceState) -> LandmarkView:
    """Project the landmarks of the faces."""
    offsets = state.shape.astype(basis.directions.dtype) @ basis.directions.reshape(basis.mean.size, -1).T
    turned = (basis.mean + offsets.reshape(-1, *basis.mean.shape)) @ state.turn.mT
    near = 1 / (1 - state.perspective[:, None] * turned[..., 2])
    zoom = np.exp(state.scale)[:, None] * near
    return LandmarkView(turned, near, zoom, zoom[..., None] * (turned[..., :2] + state.shift[:, None]) * [1, -1])


def jacobian_of(basis: LandmarkBasis, state: FaceState, view: LandmarkView) -> np.ndarray:
    """Derivatives (B, 2 N, 7 + K) float32 of the pixels.

    Columns: rotation about x, y, z; shift; logarithm of the scale; perspective; shape.
    """
    count, landmarks = view.near.shape
    jacobian = np.empty((count, 2 * landmarks, POSE + basis.directions.shape[-1]), np.float32)
    _jacobian_into(
        view.turned, view.near, view.zoom, view.about, state.perspective, state.turn, basis.directions, jacobian
    )
    return jacobian


@numba.njit(cache=True, nogil=True, fastmath=True)
def _jacobian_into(turned, near, zoom, about, perspective, turn, directions, jacobian):
    """Fill the jacobian (B, 2 N, 7 + K)."""
    for face in range(turned.shape[0]):
        for n in range(turned.shape[1]):
            x, y, z = turned[face, n]
            size = zoom[face, n]
            for axis in range(2):
                out = jacobian[face, 2 * n + axis]
                there = about[face, n, axis]
                by_depth = there * perspective[face] * near[face, n]
                by_x, by_y = (size, 0.0) if axis == 0 else (0.0, -size)
                out[0] = by_depth * y - by_y * z
                out[1] = by_x * z - by_depth * x
                out[2] = by_y * x - by_x * y
                out[3], out[4], out[5] = by_x, by_y, there
                out[6] = there * near[face, n] * z
                by_first = np.float32(by_x * turn[face, 0, 0] + by_y * turn[face, 1, 0] + by_depth * turn[face, 2, 0])
                by_second = np.float32(by_x * turn[face, 0, 1] + by_y * turn[face, 1, 1] + by_depth * turn[face, 2, 1])
                by_third = np.float32(by_x * turn[face, 0, 2] + by_y * turn[face, 1, 2] + by_depth * turn[face, 2, 2])
                first, second, third = directions[n]
                for k in range(len(first)):
                    out[7 + k] = by_first * first[k] + by_second * second[k] + by_third * third[k]


def apply_step(basis: LandmarkBasis, state: FaceState, step: np.ndarray) -> FaceState:
    """The faces after a step (B, 7 + K), within bounds."""
    angle = np.linalg.norm(step[:, :3], axis=1, keepdims=True)
    turn = step[:, :3] * np.minimum(1, LARGEST_TURN / np.maximum(angle, 1e-12))
    return FaceState(
        turn=rotation_matrix(turn) @ state.turn,
        shift=state.shift + step[:, 3:5],
        scale=state.scale + step[:, 5].clip(-0.5, 0.5),
        perspective=(state.perspective + step[:, 6]).clip(*PERSPECTIVES),
        shape=(state.shape + step[:, POSE:]).clip(*basis.limits),
    )


def to_coefficients(
    basis: LandmarkBasis, state: FaceState, start: FaceCoefficients
) -> tuple[FaceCoefficients, tuple[Camera, ...]]:
    """The state as coefficients and cameras."""
    distance = 1 / state.perspective
    translation = np.column_stack([state.shift, DEEP3D_CAMERA.distance - distance])
    focal_lengths = np.exp(state.scale) * distance
    coefficients = replace(
        start,
        identity=state.shape[:, : basis.identities].astype(np.float32),
        expression=state.shape[:, basis.identities : basis.linear].astype(np.float32),
        rotation=rotation_angles(state.turn).astype(np.float32),
        translation=translation.astype(np.float32),
    )
    return coefficients, tuple(replace(DEEP3D_CAMERA, focal_length_px=float(f)) for f in focal_lengths)
