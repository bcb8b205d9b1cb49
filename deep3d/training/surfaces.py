"""What pictures are made of before they are drawn: triangles and how they look. All numpy, or all torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import array_api_compat

from deep3d.camera import CROP_SIZE, clip_space
from deep3d.coefficients import Array

PICTURE = (CROP_SIZE, CROP_SIZE)  # height and width of what is drawn, pixels


@dataclass(frozen=True)
class Surfaces:
    """T triangles in each of B pictures, with what their N vertices look like."""

    pixels: Array  # (B, N, 2) crop pixels
    depth: Array  # (B, N) decimetres; below 0 for what is not there
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
    """Surfaces that may let through what is behind them."""

    surfaces: Surfaces
    opacity: Array  # (B, N) in [0, 1]
    inside: Array  # (B, N) pixels from the border, where that is soft; 1 and more is inside


def join(parts: Sequence[Surfaces]) -> Surfaces:
    """All of them in one."""
    xp = array_api_compat.array_namespace(parts[0].depth)
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
    xp = array_api_compat.array_namespace(parts[0].opacity)
    return Overlay(
        join([part.surfaces for part in parts]),
        xp.concat([part.opacity for part in parts], axis=1),
        xp.concat([part.inside for part in parts], axis=1),
    )
