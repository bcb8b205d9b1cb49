"""Hair laid under and over a picture of its head, as far as it is opaque and lies behind or in front.

First the far hair from within, then the near hair from outside, so that one is seen through the clear tips and borders
of the other. All of it lies on the background, before the head is drawn: the head's border blends with what is behind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numba
import numpy as np

from deep3d.camera import project
from deep3d.hair import Hair
from deep3d.mesh import Mesh
from deep3d.rendering.filtering import FilteringRasterizer
from deep3d.rendering.kernels import fronts
from deep3d.rendering.renderer import Renderer


@dataclass(frozen=True)
class DrawnLayer:
    """A layer of hair in a picture."""

    shown: np.ndarray  # (H, W, 4) colours times opacity and opacity, 0..255
    depth: np.ndarray  # (H, W) of what covers a pixel or a part of it, infinite elsewhere

    def over(self, picture: np.ndarray, behind: np.ndarray | float = np.inf) -> np.ndarray:
        """A picture (H, W, 3), whose depth is `behind` (H, W), under the layer where that is nearer."""
        shown = self.shown * (self.depth < behind)[..., None]
        return picture * (1 - shown[..., 3:] / 255) + shown[..., :3]


def draw_layers(hair: Hair, placed: np.ndarray, renderer: Renderer) -> list[DrawnLayer]:
    """Hair whose vertices stand `placed` (V, 3) before the camera."""
    image = premultiplied(hair.image)[None]
    renderer = replace(renderer, rasterizer=FilteringRasterizer())  # strands are finer than pixels of small pictures
    pixels = project(placed[None], renderer.camera)[0]
    drawn = []
    for layer in layers(hair):
        front = fronts(pixels, layer.triangles)
        mesh = Mesh(placed, layer.triangles[front], layer.uv, layer.uv_triangles[front])
        rendering = renderer.render_texture(placed[None], mesh, image)
        shown = rendering.picture[0]
        drawn.append(DrawnLayer(shown, shown_depth(rendering.fragments.depth[0], shown[..., 3])))
    return drawn


@numba.njit(cache=True, nogil=True)
def shown_depth(depth, opacity):
    """Depth (H, W), infinite where nothing is, of what pixels show at an opacity (H, W) once they are antialiased.

    A pixel beside a border is covered in part by its neighbour. So is one of a clear border before what is opaque and
    farther away: what it shows lies there.
    """
    height, width = depth.shape
    out = np.empty_like(depth)
    for row in range(height):
        for column in range(width):
            nothing, clear = np.isinf(depth[row, column]), opacity[row, column]
            shown = depth[row, column]
            for dr, dc in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                y, x = row + dr, column + dc
                if not (0 <= y < height and 0 <= x < width):
                    continue
                other = depth[y, x]
                if nothing:
                    shown = min(shown, other)
                elif opacity[y, x] > clear and not np.isinf(other):
                    shown = max(shown, other)
            out[row, column] = shown
    return out


def layers(hair: Hair) -> tuple[Mesh, Mesh]:
    """What is drawn one over the other, front sides only: the inside of all there is, then its outside."""
    mesh, seen = hair.mesh, hair.seen
    triangles, corners = mesh.triangles[seen], mesh.uv_triangles[seen]
    return (
        Mesh(mesh.vertices, triangles[:, ::-1], mesh.uv, corners[:, ::-1]),
        Mesh(mesh.vertices, triangles, mesh.uv, corners),
    )


def premultiplied(image: np.ndarray) -> np.ndarray:
    """(h, w, 4) float32, colours times opacity, of an image (h, w, 4) uint8: clear texels count as nothing."""
    whole = image.astype(np.float32)
    whole[..., :3] *= whole[..., 3:] / 255
    return whole
