"""Single strands over a picture of their head: lashes are thinner than its pixels, and would be specks.

They are drawn on finer pixels, as far as the head does not hide them, and their share of each pixel is laid over it.
"""

from __future__ import annotations

import numpy as np

from deep3d.camera import Camera, clip_space, depth, project
from deep3d.mesh import Mesh
from deep3d.rendering.cpu import CpuRasterizer

FINER = 4  # pixels for one of the picture, across


def lay_strands_over(
    picture: np.ndarray, image: np.ndarray, mesh: Mesh, placed: np.ndarray, camera: Camera, nearest: np.ndarray
) -> np.ndarray:
    """A picture (H, W, C) of a mesh with the mean colour of its strands, from its texture (h, w, C), over it.

    The mesh's vertices stand `placed` (V, 3) before the camera; `nearest` (H, W) is the clip depth of the rest of it.
    """
    triangles = mesh.triangles[len(mesh.triangles) - mesh.strands :]
    used, corners = np.unique(triangles, return_inverse=True)
    if not len(used):
        return picture
    points = placed[None, used]
    pixels = project(points, camera)
    limits = np.array(nearest.shape[::-1])
    left, top = np.clip(np.floor(pixels[0].min(axis=0)), 0, limits).astype(int)
    right, bottom = np.clip(np.ceil(pixels[0].max(axis=0)) + 1, 0, limits).astype(int)
    if right <= left or bottom <= top:
        return picture
    fine = (pixels - [left, top] + 0.5) * FINER - 0.5
    size = (bottom - top) * FINER, (right - left) * FINER
    clip = clip_space(fine, depth(points, camera), size).astype(np.float32)
    drawn = CpuRasterizer().rasterize(clip, corners.reshape(-1, 3).astype(np.int32), size)
    window = slice(top, bottom), slice(left, right)
    before = nearest[window].repeat(FINER, axis=0).repeat(FINER, axis=1)
    shown = (drawn.triangle[0] >= 0) & (drawn.depth[0] < before)
    share = shown.reshape(bottom - top, FINER, right - left, FINER).mean(axis=(1, 3), dtype=np.float32)[..., None]
    over = picture.copy()
    over[window] += share * (_colour(image, mesh) - over[window])
    return over


def _colour(image: np.ndarray, mesh: Mesh) -> np.ndarray:
    """(C,) the mean colour at the strands' corners of a texture (h, w, C)."""
    uv = mesh.uv[mesh.uv_triangles[len(mesh.triangles) - mesh.strands :].ravel()]
    height, width = image.shape[:2]
    columns, rows = (uv[:, 0] * width).astype(int), ((1 - uv[:, 1]) * height).astype(int)
    return image[rows.clip(0, height - 1), columns.clip(0, width - 1)].mean(axis=0, dtype=np.float32)
