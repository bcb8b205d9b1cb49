"""The CPU rasteriser, with numba kernels."""

from __future__ import annotations

import array_api_compat
import numpy as np

from deep3d.arrays import Array
from deep3d.errors import ShapeError
from deep3d.rendering.checks import expect_shape, expect_triangles
from deep3d.rendering.interface import Fragments
from deep3d.rendering.kernels import interpolate_into, rasterize_into, sample_into, to_numpy


class CpuRasterizer:
    """A `Rasterizer` for numpy arrays, and with gradients for torch tensors in main memory.

    The weights from `rasterize` have gradients to the clip coordinates, so `interpolate` has gradients to the
    attributes and the clip coordinates, and `texture` to the image and the UVs. Depth has none. Triangles with a corner
    behind the camera (w <= 0) are left out.

    All methods raise ShapeError for undocumented shapes and for indices out of range.
    """

    def rasterize(self, clip: Array, triangles: Array, size: tuple[int, int]) -> Fragments:
        """The triangle at each pixel; see `Rasterizer.rasterize`."""
        expect_shape("clip", clip, "B V 4")
        expect_triangles(triangles, clip.shape[1])
        positions, corners = to_numpy(clip), _int32(triangles)
        batch = len(positions)
        triangle, depth = np.empty((batch, *size), np.int32), np.empty((batch, *size), positions.dtype)
        weights = np.empty((batch, *size, 2), positions.dtype)
        for b in range(batch):
            rasterize_into(positions[b], corners, triangle[b], weights[b], depth[b])
        if not array_api_compat.is_torch_array(clip):
            return Fragments(triangle, weights, depth)

        import torch

        from deep3d.rendering.differentiable import barycentric_weights

        with_gradients = barycentric_weights(clip, corners, triangle)
        return Fragments(torch.from_numpy(triangle), with_gradients, torch.from_numpy(depth))

    def interpolate(self, attributes: Array, fragments: Fragments, triangles: Array) -> Array:
        """Attributes at each pixel; see `Rasterizer.interpolate`. `triangles` may index UVs instead of vertices."""
        triangle, corners = to_numpy(fragments.triangle), _int32(triangles)
        expect_shape("attributes", attributes, f"{len(triangle)} V C")
        expect_triangles(triangles, attributes.shape[1])
        if triangle.size and triangle.max() >= len(corners):
            raise ShapeError(f"triangles: expected those of the fragments, got {len(corners)} triangles")
        if array_api_compat.is_torch_array(attributes):
            from deep3d.rendering import differentiable

            return differentiable.interpolate(attributes, fragments.weights, corners, triangle)
        values, weights = to_numpy(attributes), to_numpy(fragments.weights)
        out = np.empty((*triangle.shape, values.shape[2]), np.result_type(values.dtype, np.float32))
        for b in range(len(out)):
            interpolate_into(values[b], corners, triangle[b], weights[b], out[b])
        return out

    def texture(self, image: Array, uv: Array) -> Array:
        """Colours of an image at UVs; see `Rasterizer.texture`. The border colours continue outside [0, 1]."""
        expect_shape("uv", uv, "B H W 2")
        expect_shape("image", image, f"{uv.shape[0]} h w C")
        if array_api_compat.is_torch_array(image):
            from deep3d.rendering import differentiable

            return differentiable.texture(image, uv)
        texels, places = to_numpy(image), to_numpy(uv)
        out = np.empty((*uv.shape[:3], image.shape[3]), np.result_type(image.dtype, np.float32))
        for b in range(len(out)):
            sample_into(texels[b], places[b], out[b])
        return out


def _int32(triangles: Array) -> np.ndarray:
    return to_numpy(triangles).astype(np.int32, copy=False)
