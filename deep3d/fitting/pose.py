"""The pose under the fixed camera that projects known points nearest to their observed pixels."""

from __future__ import annotations

import numpy as np

from deep3d.camera import DEEP3D_CAMERA, place, project, rotation_matrix

LONGEST_STEP = np.array([0.15] * 3 + [0.3, 0.3, 1.0])
"""Of one iteration, radians and decimetres."""


def fit_pose(vertices: np.ndarray, pixels: np.ndarray, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (B, 3) and translation (B, 3) whose projection by the fixed camera is nearest to the (B, N, 2) pixels.

    Gauss-Newton with bounded steps from the given (B, 3) rotation; the best of its iterates. `vertices` are (B, N, 3),
    N >= 3.
    """
    camera = DEEP3D_CAMERA
    turned = vertices @ rotation_matrix(rotation).mT
    reach = camera.focal_length_px * _spread(turned[..., :2]) / _spread(pixels)
    middle = (pixels.mean(axis=1) - [camera.column, camera.row]) * [1, -1] / camera.focal_length_px
    centre = np.concatenate([middle * reach[:, None], (camera.distance - reach)[:, None]], axis=1)
    parameters = np.concatenate([rotation, centre - turned.mean(axis=1)], axis=1).astype(np.float64)
    best, least = parameters, np.full(len(parameters), np.inf)
    for _ in range(8):
        residual, jacobian = _pose_jacobian(vertices, pixels, parameters)
        error = (residual**2).sum(axis=1)
        better = error < least
        best, least = np.where(better[:, None], parameters, best), np.where(better, error, least)
        normal = jacobian.mT @ jacobian + 1e-3 * np.eye(6)
        step = np.linalg.solve(normal, jacobian.mT @ residual[..., None])[..., 0]
        parameters = parameters - np.clip(step, -LONGEST_STEP, LONGEST_STEP)
    return best[:, :3].astype(np.float32), best[:, 3:].astype(np.float32)


def _spread(points: np.ndarray) -> np.ndarray:
    return np.sqrt(points.var(axis=1).sum(axis=-1))


def _pose_jacobian(vertices: np.ndarray, pixels: np.ndarray, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Residuals (B, 2 N) and their central differences (B, 2 N, 6)."""

    def residual(values: np.ndarray) -> np.ndarray:
        return (project(place(vertices, values[:, :3], values[:, 3:])) - pixels).reshape(len(values), -1)

    step = 1e-4
    columns = [
        (residual(parameters + step * unit) - residual(parameters - step * unit)) / (2 * step) for unit in np.eye(6)
    ]
    return residual(parameters), np.stack(columns, axis=-1)
