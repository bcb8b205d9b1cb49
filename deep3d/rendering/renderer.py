"""From a placed mesh to an RGB picture: rasterise, colour, composite over a background, antialias."""

from __future__ import annotations

from dataclasses import dataclass

import array_api_compat

from deep3d.arrays import Array, array_namespace
from deep3d.camera import CROP_SIZE, DEEP3D_CAMERA, Camera, clip_space, depth, project
from deep3d.mesh import Mesh
from deep3d.rendering.antialias import antialias
from deep3d.rendering.interface import Fragments, Rasterizer
from deep3d.rendering.kernels import to_numpy


@dataclass(frozen=True)
class Rendering:
    """B pictures of meshes, with unclamped colours."""

    picture: Array  # (B, H, W, 3) RGB, silhouettes blended with the background
    mask: Array  # (B, H, W) share of each pixel that the mesh covers, in [0, 1]
    fragments: Fragments


@dataclass(frozen=True)
class Renderer:
    """Draws meshes for one camera. Numpy arrays in, numpy out; torch tensors in, torch out with gradients.

    A background is anything that broadcasts to (B, H, W, 3), from one colour to one picture each; None is black.
    """

    rasterizer: Rasterizer
    camera: Camera = DEEP3D_CAMERA
    size: tuple[int, int] = (CROP_SIZE, CROP_SIZE)  # height and width of the picture, pixels

    def render_colors(
        self, vertices: Array, triangles: Array, colors: Array, background: Array | None = None
    ) -> Rendering:
        """Draw placed vertices (B, V, 3) in decimetres with colours (B, V, 3), shaded or not.

        Raises: ShapeError if the shapes do not match or a triangle has an invalid vertex.
        """
        clip = self._clip(vertices)
        fragments = self.rasterizer.rasterize(clip, triangles, self.size)
        colored = self.rasterizer.interpolate(colors, fragments, triangles)
        return self._finish(colored, fragments, clip, triangles, background)

    def render_texture(self, vertices: Array, mesh: Mesh, image: Array, background: Array | None = None) -> Rendering:
        """Draw placed vertices (B, V, 3) in decimetres, wrapped in images (B, h, w, 3) by the UVs of `mesh`.

        Raises: ShapeError if the shapes do not match.
        """
        xp = array_namespace(vertices, image)
        clip = self._clip(vertices)
        triangles = xp.asarray(to_numpy(mesh.triangles), device=array_api_compat.device(vertices))
        uv_triangles = xp.asarray(to_numpy(mesh.uv_triangles), device=array_api_compat.device(vertices))
        uv = xp.asarray(to_numpy(mesh.uv), dtype=vertices.dtype, device=array_api_compat.device(vertices))
        fragments = self.rasterizer.rasterize(clip, triangles, self.size)
        uv_batch = xp.broadcast_to(uv, (vertices.shape[0], *uv.shape))
        places = self.rasterizer.interpolate(uv_batch, fragments, uv_triangles)
        return self._finish(self.rasterizer.texture(image, places), fragments, clip, triangles, background)

    def _clip(self, vertices: Array) -> Array:
        return clip_space(project(vertices, self.camera), depth(vertices, self.camera), self.size)

    def _finish(
        self, colored: Array, fragments: Fragments, clip: Array, triangles: Array, background: Array | None
    ) -> Rendering:
        xp = array_namespace(colored)
        covered = (fragments.triangle >= 0)[..., None]
        if background is None:
            background = xp.zeros_like(colored[:1, :1, :1])
        mask = xp.astype(covered, colored.dtype)
        picture = xp.concat([xp.where(covered, colored, background), mask], axis=-1)
        picture = antialias(picture, fragments, clip, triangles)
        return Rendering(picture[..., :-1], picture[..., -1], fragments)
