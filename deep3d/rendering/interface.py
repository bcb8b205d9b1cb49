"""The interface of rasterisers, like nvdiffrast's functions (Laine et al., 2020). Row 0 is a picture's top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from deep3d.arrays import Array


@dataclass(frozen=True)
class Fragments:
    """The visible surface at each pixel of B pictures."""

    triangle: Array  # (B, H, W) int32, the nearest triangle, -1 for none
    weights: Array  # (B, H, W, 2) perspective-correct barycentric weights of its first two corners
    depth: Array  # (B, H, W) z / w of clip space, +inf for none


class Rasterizer(Protocol):
    """Three steps from triangles to a picture, which `rendering.antialias` then smooths.

    Numpy in, numpy out; torch in, torch out with gradients.
    """

    def rasterize(self, clip: Array, triangles: Array, size: tuple[int, int]) -> Fragments:
        """The triangle at each pixel, from (B, V, 4) clip coordinates, (T, 3) triangles, size (height, width)."""
        ...

    def interpolate(self, attributes: Array, fragments: Fragments, triangles: Array) -> Array:
        """Attributes (B, V, C) of vertices at each pixel: (B, H, W, C), zero without a triangle."""
        ...

    def texture(self, image: Array, uv: Array) -> Array:
        """Colours (B, H, W, C) of an image (B, h, w, C) at UVs (B, H, W, 2) in [0, 1], bilinear, row 0 at v = 1."""
        ...
