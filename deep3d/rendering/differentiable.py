"""The kernels as torch functions with gradients, for training and fitting; imported only with torch."""

from __future__ import annotations

import numpy as np
import torch
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from deep3d.rendering.kernels import (
    interpolate_backward_into,
    interpolate_into,
    to_numpy,
    weights_backward_into,
    weights_into,
)


class _Weights(Function):
    @staticmethod
    def forward(ctx, clip, triangles, triangle):
        ctx.arrays = to_numpy(clip), triangles, triangle
        weights = np.empty((*triangle.shape, 2), ctx.arrays[0].dtype)
        for b in range(len(clip)):
            weights_into(ctx.arrays[0][b], triangles, triangle[b], weights[b])
        return torch.from_numpy(weights)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        clip, triangles, triangle = ctx.arrays
        gradient, clip_gradient = to_numpy(gradient), np.zeros_like(clip)
        for b in range(len(clip)):
            weights_backward_into(clip[b], triangles, triangle[b], gradient[b], clip_gradient[b])
        return torch.from_numpy(clip_gradient), None, None


class _Interpolate(Function):
    @staticmethod
    def forward(ctx, attributes, weights, triangles, triangle):
        attributes, weights = to_numpy(attributes), to_numpy(weights)
        ctx.arrays = attributes, weights, triangles, triangle
        out = np.empty((*triangle.shape, attributes.shape[2]), attributes.dtype)
        for b in range(len(out)):
            interpolate_into(attributes[b], triangles, triangle[b], weights[b], out[b])
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        attributes, weights, triangles, triangle = ctx.arrays
        gradient = to_numpy(gradient)
        attribute_gradient, weight_gradient = np.zeros_like(attributes), np.empty_like(weights)
        for b in range(len(gradient)):
            interpolate_backward_into(
                attributes[b],
                triangles,
                triangle[b],
                weights[b],
                gradient[b],
                attribute_gradient[b],
                weight_gradient[b],
            )
        return torch.from_numpy(attribute_gradient), torch.from_numpy(weight_gradient), None, None


def barycentric_weights(clip: torch.Tensor, triangles: np.ndarray, triangle: np.ndarray) -> torch.Tensor:
    """Weights (B, H, W, 2) of the visible triangles (B, H, W), with gradients to the clip coordinates (B, V, 4)."""
    return _Weights.apply(clip, triangles, triangle)  # pyright: ignore[reportReturnType]


def interpolate(
    attributes: torch.Tensor, weights: torch.Tensor, triangles: np.ndarray, triangle: np.ndarray
) -> torch.Tensor:
    """Attributes (B, V, C) at each pixel, with gradients to them and to the weights (B, H, W, 2)."""
    return _Interpolate.apply(attributes, weights, triangles, triangle)  # pyright: ignore[reportReturnType]


def texture(image: torch.Tensor, uv: torch.Tensor) -> torch.Tensor:
    """Colours of an image (B, h, w, C) at (B, H, W, 2) UVs, v up, with gradients to both."""
    grid = torch.stack([2 * uv[..., 0] - 1, 1 - 2 * uv[..., 1]], dim=-1)
    colors = torch.nn.functional.grid_sample(
        image.movedim(3, 1), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return colors.movedim(1, 3)
