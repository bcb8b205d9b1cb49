"""Hair laid over a picture of its head, as far as it is opaque and lies in front."""

from __future__ import annotations

import numpy as np

from deep3d.hair import Hair
from deep3d.mesh import Mesh
from deep3d.rendering.renderer import Renderer, Rendering


def hair_over(picture: np.ndarray, head: Rendering, hair: Hair, placed: np.ndarray, renderer: Renderer) -> np.ndarray:
    """A picture (H, W, 3) of a head, 0..255, under its hair, whose vertices stand `placed` (V, 3) before the camera."""
    mesh = Mesh(placed, hair.mesh.triangles, hair.mesh.uv, hair.mesh.uv_triangles)
    layer = renderer.render_texture(placed[None], mesh, premultiplied(hair.image)[None])
    before = layer.fragments.depth[0] < head.fragments.depth[0]
    shown = layer.picture[0] * before[..., None]
    return picture * (1 - shown[..., 3:] / 255) + shown[..., :3]


def premultiplied(image: np.ndarray) -> np.ndarray:
    """(h, w, 4) float32, colours times opacity, of an image (h, w, 4) uint8: clear texels count as nothing."""
    whole = image.astype(np.float32)
    whole[..., :3] *= whole[..., 3:] / 255
    return whole
