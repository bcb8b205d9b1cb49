"""The pose labels of fitting/pose.py on any device, for many heads at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from deep3d.camera import DEEP3D_CAMERA, place, project, rotation_matrix
from deep3d.fitting.pose import LONGEST_STEP
from deep3d.synthetic.device.transfer import to_device

ITERATIONS = 8
STEP = 1e-4  # of the differences that stand for derivatives, radians and decimetres


def fit_poses(vertices: Tensor, pixels: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor]:
    """What `fitting.pose.fit_pose` gives: rotation (B, 3) and translation (B, 3) nearest to the pixels (B, N, 2).

    Vertices are (B, N, 3), the rotation to start from (B, 3).
    """
    vertices, pixels, rotation = vertices.double(), pixels.double(), rotation.double()
    camera = DEEP3D_CAMERA
    turned = vertices @ rotation_matrix(rotation).mT
    reach = camera.focal_length_px * _spread(turned[..., :2]) / _spread(pixels)
    column, row = pixels.mean(dim=1).unbind(-1)
    x, y = (column - camera.column) / camera.focal_length_px, (camera.row - row) / camera.focal_length_px
    centre = torch.stack([x * reach, y * reach, camera.distance - reach], dim=1)
    parameters = torch.cat([rotation, centre - turned.mean(dim=1)], dim=1)
    longest = to_device(LONGEST_STEP, vertices.device)
    ridge = 1e-3 * torch.eye(6, dtype=torch.float64, device=vertices.device)
    best, least = parameters, torch.full_like(parameters[:, 0], float("inf"))
    for _ in range(ITERATIONS):
        residual, jacobian = _residuals(vertices, pixels, parameters)
        error = (residual**2).sum(dim=1)
        better = error < least
        best, least = torch.where(better[:, None], parameters, best), torch.where(better, error, least)
        # without the check of torch.linalg.solve, which would wait for the device
        step = torch.linalg.solve_ex(jacobian.mT @ jacobian + ridge, jacobian.mT @ residual[..., None]).result
        parameters = parameters - step[..., 0].clamp(-longest, longest)
    return best[:, :3].float(), best[:, 3:].float()


def _spread(points: Tensor) -> Tensor:
    return points.var(dim=1, correction=0).sum(dim=-1).sqrt()


def _residuals(vertices: Tensor, pixels: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
    """Residuals (B, 2 N) and their central differences (B, 2 N, 6), all thirteen poses of each head at once."""
    steps = STEP * torch.eye(6, dtype=parameters.dtype, device=parameters.device)
    tried = parameters[:, None] + torch.cat([torch.zeros_like(steps[:1]), steps, -steps])  # (B, 13, 6)
    count, tries = tried.shape[:2]
    flat = tried.flatten(0, 1)
    seen = project(place(vertices.repeat_interleave(tries, dim=0), flat[:, :3], flat[:, 3:]))
    residual = (seen.unflatten(0, (count, tries)) - pixels[:, None]).flatten(2)
    return residual[:, 0], ((residual[:, 1:7] - residual[:, 7:]) / (2 * STEP)).mT
