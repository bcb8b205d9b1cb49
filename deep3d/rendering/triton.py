"""The rasteriser for NVIDIA GPUs that needs only torch: a z-buffer in one Triton kernel.

Positions are whole numbers of the grid of `rendering.kernels`, so that edge functions are exact and both rasterisers
cover the same pixels. The z-buffer holds depth and triangle in one number of 64 bits, of which the smaller wins
(similar to Laine and Karras, High-performance software rasterization on GPUs, 2011).

Triton comes with torch's CUDA wheels for Linux; import this only where there is a GPU. Triton's interpreter, which
TRITON_INTERPRET=1 turns on before the first import, runs it on a plain processor for tests.
"""

from __future__ import annotations

import torch
import triton
from torch import Tensor
from triton import language as tl

from deep3d.rendering.differentiable import texture
from deep3d.rendering.interface import Fragments
from deep3d.rendering.kernels import GRID

EMPTY = tl.constexpr(2**63 - 1)  # of the z-buffer, without a triangle
OUTSIDE = tl.constexpr(-(2**31))  # the position of a vertex whose triangles are not drawn
REACH = 2**29  # grid units, 32,768 pixels: products of larger positions do not fit in 64 bits
GRID_BITS = int(GRID).bit_length() - 1
BLOCK = 128  # triangles that one program draws side by side
STRIPES = 8  # of a picture, drawn by one program each, so that no program fills a whole picture


class TritonRasterizer:
    """A `Rasterizer` for float32 torch tensors on one CUDA device.

    The weights from `rasterize` have gradients to the clip coordinates, `interpolate` and `texture` to all their
    inputs. Triangles with a corner behind the camera (w <= 0), or farther than 32,768 pixels from the
    picture's corner, are left out. Arguments are not checked, since that would wait for the device.
    """

    def rasterize(self, clip: Tensor, triangles: Tensor, size: tuple[int, int]) -> Fragments:
        """The triangle at each pixel; see `Rasterizer.rasterize`."""
        batch, vertices = clip.shape[:2]
        corners = triangles.int().contiguous()
        columns, rows, depth = _screen_positions(clip.detach(), size)
        zbuffer = torch.full((batch, *size), EMPTY.value, dtype=torch.int64, device=clip.device)
        programs = (triton.cdiv(len(corners), BLOCK), batch, STRIPES)
        constants = (GRID_BITS, BLOCK, STRIPES)
        _draw[programs](columns, rows, depth, corners, zbuffer, vertices, len(corners), *size, *constants)  # pyright: ignore[reportArgumentType]
        seen = zbuffer != EMPTY.value
        triangle = torch.where(seen, zbuffer & (2**32 - 1), -1).int()
        depth = torch.where(seen, _unordered(zbuffer >> 32), float("inf"))
        return Fragments(triangle, _weights(clip, corners, triangle), depth)

    def interpolate(self, attributes: Tensor, fragments: Fragments, triangles: Tensor) -> Tensor:
        """Attributes of vertices at each pixel; see `Rasterizer.interpolate`."""
        first, second = fragments.weights.unbind(-1)
        values = [
            _of_corner(attributes, triangles, fragments.triangle, corner) * weight[..., None]
            for corner, weight in enumerate((first, second, 1 - first - second))
        ]
        return (values[0] + values[1] + values[2]) * (fragments.triangle >= 0)[..., None]

    def texture(self, image: Tensor, uv: Tensor) -> Tensor:
        """Colours of an image at UVs; see `Rasterizer.texture`."""
        return texture(image, uv)


def _screen_positions(clip: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Columns and rows (B, V) int32 in grid units, and z / w (B, V) float32, of clip coordinates (B, V, 4)."""
    x, y, z, w = clip.unbind(-1)
    height, width = size
    column, row = (
        torch.round((((at / w).double() + 1) * (0.5 * pixels) - 0.5) * GRID) for at, pixels in ((x, width), (y, height))
    )
    usable = (w > 0) & (column.abs() < REACH) & (row.abs() < REACH)
    column, row = (torch.where(usable, at, OUTSIDE.value).int().contiguous() for at in (column, row))
    return column, row, (z / w).float().contiguous()


@triton.jit
def _draw(
    columns,
    rows,
    depths,
    triangles,
    zbuffer,
    vertices,
    count,
    height,
    width,
    BITS: tl.constexpr,
    BLOCK: tl.constexpr,
    STRIPES: tl.constexpr,
):
    """Draw BLOCK triangles into one stripe of a picture's z-buffer, pixel after pixel of their bounding boxes.

    Coverage and order are those of `rendering.kernels.rasterize_into`.
    """
    picture = tl.program_id(1).to(tl.int64)
    t = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    listed = t < count
    first = tl.load(triangles + 3 * t, mask=listed, other=0) + picture * vertices
    second = tl.load(triangles + 3 * t + 1, mask=listed, other=0) + picture * vertices
    third = tl.load(triangles + 3 * t + 2, mask=listed, other=0) + picture * vertices
    x0, y0, z0 = tl.load(columns + first), tl.load(rows + first), tl.load(depths + first)
    x1, y1, z1 = tl.load(columns + second), tl.load(rows + second), tl.load(depths + second)
    x2, y2, z2 = tl.load(columns + third), tl.load(rows + third), tl.load(depths + third)
    low_x, low_y = tl.minimum(tl.minimum(x0, x1), x2), tl.minimum(tl.minimum(y0, y1), y2)
    high_x, high_y = tl.maximum(tl.maximum(x0, x1), x2), tl.maximum(tl.maximum(y0, y1), y2)
    stripe = tl.program_id(2)
    first_row, end_row = stripe * height // STRIPES, (stripe + 1) * height // STRIPES
    left, right = tl.maximum(_round_up(low_x, BITS), 0), tl.minimum(_round_up(high_x + 1, BITS), width)
    top, bottom = tl.maximum(_round_up(low_y, BITS), first_row), tl.minimum(_round_up(high_y + 1, BITS), end_row)

    x0, x1, x2 = x0.to(tl.int64), x1.to(tl.int64), x2.to(tl.int64)
    y0, y1, y2 = y0.to(tl.int64), y1.to(tl.int64), y2.to(tl.int64)
    area = (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0)
    turn = tl.where(area > 0, 1, -1).to(tl.int64)
    dx0, dy0 = (x2 - x1) * turn, (y2 - y1) * turn
    dx1, dy1 = (x0 - x2) * turn, (y0 - y2) * turn
    dx2, dy2 = (x1 - x0) * turn, (y1 - y0) * turn
    least0 = tl.where((dy0 < 0) | ((dy0 == 0) & (dx0 > 0)), 0, 1)
    least1 = tl.where((dy1 < 0) | ((dy1 == 0) & (dx1 > 0)), 0, 1)
    least2 = tl.where((dy2 < 0) | ((dy2 == 0) & (dx2 > 0)), 0, 1)
    size = tl.where(area == 0, 1, tl.abs(area)).to(tl.float32)
    z0, z1, z2 = z0 / size, z1 / size, z2 / size
    drawn = listed & (area != 0) & (low_x > OUTSIDE) & (low_y > OUTSIDE) & (left < right) & (top < bottom)
    across = tl.where(drawn, right - left, 1)
    pixels = tl.where(drawn, across * (bottom - top), 0)
    for k in range(tl.max(pixels, axis=0)):  # pyright: ignore[reportArgumentType]
        row, column = top + k // across, left + k % across
        x, y = column.to(tl.int64) << BITS, row.to(tl.int64) << BITS
        edge0 = dx0 * (y - y1) - dy0 * (x - x1)
        edge1 = dx1 * (y - y2) - dy1 * (x - x2)
        edge2 = dx2 * (y - y0) - dy2 * (x - x0)
        z = edge0.to(tl.float32) * z0 + edge1.to(tl.float32) * z1 + edge2.to(tl.float32) * z2
        covered = (k < pixels) & (edge0 >= least0) & (edge1 >= least1) & (edge2 >= least2) & (z >= -1) & (z <= 1)
        bits = z.to(tl.int32, bitcast=True)
        ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)  # numbers in the order of the depths, including negative ones
        key = (ordered.to(tl.int64) << 32) | t.to(tl.int64)
        tl.atomic_min(zbuffer + (picture * height + row) * width + column, key, mask=covered, sem="relaxed")


@triton.jit
def _round_up(position, BITS: tl.constexpr):
    """The first whole pixel at or after a position in grid units."""
    return -((-position) >> BITS)


def _unordered(ordered: Tensor) -> Tensor:
    """The float32 depths of the upper halves of the z-buffer's numbers."""
    bits = ordered.int()
    return (bits ^ ((bits >> 31) & 0x7FFFFFFF)).view(torch.float32)


def _weights(clip: Tensor, triangles: Tensor, triangle: Tensor) -> Tensor:
    """Perspective-correct weights (B, H, W, 2) of the visible triangles, as in `rendering.kernels.weights_into`."""
    height, width = triangle.shape[1:]
    x = (torch.arange(width, device=clip.device) + 0.5) * (2 / width) - 1
    y = ((torch.arange(height, device=clip.device) + 0.5) * (2 / height) - 1)[:, None]
    flat = torch.cat([clip[..., :2], clip[..., 3:]], dim=-1)
    seen = [_of_corner(flat, triangles, triangle, corner) for corner in range(3)]
    (x0, y0), (x1, y1), (x2, y2) = ((c[..., 0] - x * c[..., 2], c[..., 1] - y * c[..., 2]) for c in seen)
    area0, area1, area2 = x1 * y2 - y1 * x2, x2 * y0 - y2 * x0, x0 * y1 - y0 * x1
    total = area0 + area1 + area2
    usable = (triangle >= 0) & (total != 0)
    total = torch.where(usable, total, 1.0)
    first = torch.where(usable, area0 / total, 0.0).clamp(0, 1)
    second = torch.where(usable, area1 / total, 0.0).clamp(min=0)
    return torch.stack([first, torch.minimum(second, 1 - first)], dim=-1)


def _of_corner(attributes: Tensor, triangles: Tensor, triangle: Tensor, corner: int) -> Tensor:
    """Attributes (B, V, C) of one corner of the triangle (B, H, W) at each pixel: (B, H, W, C)."""
    batch, height, width = triangle.shape
    vertex = triangles[:, corner].long()[triangle.long().clamp(min=0)]
    shift = torch.arange(batch, device=triangle.device)[:, None, None] * attributes.shape[1]
    return attributes.flatten(0, 1).index_select(0, (vertex + shift).flatten()).unflatten(0, (batch, height, width))
