"""Triangles and their appearance, before they are drawn. All numpy, or all torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import array_api_compat
import numpy as np

from deep3d.arrays import Array, array_namespace
from deep3d.camera import CROP_SIZE, clip_space

PICTURE = (CROP_SIZE, CROP_SIZE)  # height and width of what is drawn, pixels
ABSENT = -1.0  # the depth of absent vertices


@dataclass(frozen=True)
class Surfaces:
    """T triangles in each of B pictures, with the appearance of their N vertices."""

    pixels: Array  # (B, N, 2) crop pixels
    depth: Array  # (B, N) decimetres; below 0 for absent ones
    colours: Array  # (B, N, 3) sRGB
    grain: Array  # (B, N, 2) coordinates of the texture; 1 is painting.GRAIN_SCALE pixels of a noise field
    contrast: Array  # (B, N) of the texture
    triangles: Array  # (T, 3) int32

    @property
    def clip(self) -> Array:
        """Clip coordinates (B, N, 4)."""
        return clip_space(self.pixels, self.depth, PICTURE)


@dataclass(frozen=True)
class Overlay:
    """Surfaces with opacity."""

    surfaces: Surfaces
    opacity: Array  # (B, N) in [0, 1]
    inside: Array  # (B, N) pixels from the border, where that is soft; 1 and more is inside


def join(parts: Sequence[Surfaces]) -> Surfaces:
    """All of them in one."""
    xp = array_namespace(parts[0].depth)
    triangles, count = [], 0
    for part in parts:
        triangles.append(part.triangles + count)
        count += part.depth.shape[1]
    return Surfaces(
        pixels=xp.concat([part.pixels for part in parts], axis=1),
        depth=xp.concat([part.depth for part in parts], axis=1),
        colours=xp.concat([part.colours for part in parts], axis=1),
        grain=xp.concat([part.grain for part in parts], axis=1),
        contrast=xp.concat([part.contrast for part in parts], axis=1),
        triangles=xp.concat(triangles, axis=0),
    )


def join_overlays(parts: Sequence[Overlay]) -> Overlay:
    """All of them in one."""
    xp = array_namespace(parts[0].opacity)
    return Overlay(
        join([part.surfaces for part in parts]),
        xp.concat([part.opacity for part in parts], axis=1),
        xp.concat([part.inside for part in parts], axis=1),
    )


def ribbons(pixels: Array, depth: Array, half: Array, colour: Array, opacity: Array, there: Array) -> Overlay:
    """L polylines (B, L, N, 2) in each picture, with soft borders. Their depths are (B, L, N).

    Half widths in pixels and opacities are (B,), colours (B, 3); they are drawn where they are `there` (B,). There are
    three vertices for each point: on one border, in the middle, on the other border.
    """
    xp = array_namespace(pixels)
    count, lines, points = depth.shape
    step = pixels[:, :, 1:] - pixels[:, :, :-1]
    along = xp.concat([step[:, :, :1], step[:, :, 1:] + step[:, :, :-1], step[:, :, -1:]], axis=2)
    across = xp.stack([-along[..., 1], along[..., 0]], axis=-1)
    length = xp.clip(xp.sqrt(xp.sum(across * across, axis=-1, keepdims=True)), 1e-6, None)
    reach = half + 0.5  # pixels, to where nothing is left of the line
    across = across / length * reach[:, None, None, None]
    placed = xp.reshape(xp.stack([pixels - across, pixels, pixels + across], axis=3), (count, -1, 2))
    flat = xp.zeros_like(placed[..., 0])
    quads = np.array([[0, 1, 3], [1, 4, 3], [1, 2, 4], [2, 5, 4]]) + 3 * np.arange(points - 1)[:, None, None]
    triangles = (quads + 3 * points * np.arange(lines)[:, None, None, None]).reshape(-1, 3)
    thrice = xp.stack([depth, depth, depth], axis=3)
    middle = like(flat, np.tile(np.array([0, 1, 0], np.float32), lines * points))
    surfaces = Surfaces(
        pixels=placed,
        depth=xp.where(there[:, None], xp.reshape(thrice, (count, -1)), ABSENT),
        colours=colour[:, None] + flat[..., None],
        grain=xp.zeros_like(placed),
        contrast=flat,
        triangles=like(flat, triangles.astype(np.int32)),
    )
    return Overlay(surfaces, opacity[:, None] + flat, middle * reach[:, None])


def like(array: Array, values: np.ndarray) -> Array:
    """The values as an array of the same kind, on the same device."""
    if not array_api_compat.is_torch_array(array):
        return values
    from deep3d.synthetic.device.transfer import to_device  # processes that draw with numpy need no torch

    return to_device(values, array.device)
