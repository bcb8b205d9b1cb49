"""overlay.jpg: the photo, the mesh on it, and the textured face from three sides, in one row.

Colours are mixed in linear light.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from deep3d.camera import CROP_SIZE, Camera, Pose, clip_space, depth, place, project
from deep3d.drawing.hair import layers, shown_depth
from deep3d.drawing.shading import (
    CLAY,
    CODES,
    LINEAR,
    clay_light,
    encode,
    lay_layer_over,
    lay_over,
    light_times_opacity,
    reduced_light,
    shade_layer,
    shade_texture,
)
from deep3d.drawing.strands import lay_strands_over
from deep3d.hair import Hair
from deep3d.mesh import Mesh
from deep3d.reconstruction import Reconstruction
from deep3d.rendering.antialias import antialias
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.interface import Fragments, Rasterizer
from deep3d.rendering.kernels import fronts

PANEL = 384  # pixels, height of the row, and width of the two pictures of the photo
VIEW_WIDTH = 304
YAWS = (-45.0, 0.0, 45.0)  # degrees
MARGIN = 1.12  # size of a view over that of the face in it
JPEG_QUALITY = 90

_TEXTURE = 512  # texels across, at most: about one and a half for each pixel of a view
_BACKGROUND = 233  # light grey
_CLEAR, _FAINT = 0.8, 0.15  # opacity of clay on facial skin and elsewhere
_LANDMARK = LINEAR[[255, 176, 0]]
_LANDMARK_RADIUS = 1.9  # pixels


def write_overlay(reconstruction: Reconstruction, folder: Path) -> None:
    """Write overlay.jpg into a folder."""
    image = Image.fromarray(draw_overlay(reconstruction, CpuRasterizer()))
    image.save(folder / "overlay.jpg", quality=JPEG_QUALITY, subsampling="4:4:4")


def draw_overlay(reconstruction: Reconstruction, rasterizer: Rasterizer) -> np.ndarray:
    """(384, 1680, 3) uint8: photo as cropped, mesh and landmarks on it, textured views at yaw -45, 0, 45 degrees."""
    photo = _photo(reconstruction)
    panels = [photo, _mesh_on(photo, reconstruction, rasterizer), *_views(reconstruction, rasterizer)]
    return np.concatenate(panels, axis=1)


def _photo(reconstruction: Reconstruction) -> np.ndarray:
    """(384, 384, 3) uint8: the photo in the area of the crop, background beyond its borders."""
    crop, pixels = reconstruction.crop, reconstruction.photo.pixels
    size = np.array([crop.photo_width, crop.photo_height])
    corners = crop.to_photo(np.array([[-0.5, -0.5], [CROP_SIZE - 0.5, CROP_SIZE - 0.5]])) + 0.5
    inside = np.clip(corners, 0, size)
    area = np.rint((inside - corners[0]) / (corners[1] - corners[0]) * PANEL).astype(int)
    panel = np.full((PANEL, PANEL, 3), _BACKGROUND, np.uint8)
    if (area[1] > area[0]).all():
        first, last = np.floor(inside[0]).astype(int), np.ceil(inside[1]).astype(int)
        window = Image.fromarray(np.ascontiguousarray(pixels[first[1] : last[1], first[0] : last[0]]))
        box = (*(inside[0] - first), *(inside[1] - first))
        resized = window.resize(tuple(area[1] - area[0]), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
        panel[area[0, 1] : area[1, 1], area[0, 0] : area[1, 0]] = np.asarray(resized)
    return panel


def _mesh_on(photo: np.ndarray, reconstruction: Reconstruction, rasterizer: Rasterizer) -> np.ndarray:
    """The photo's panel with the mesh as blue clay, fainter outside the facial skin, and the landmarks as dots."""
    model, camera, vertices = reconstruction.face_model, reconstruction.camera, reconstruction.placed_vertices[None]
    pixels = (project(vertices, camera) + 0.5) * (PANEL / CROP_SIZE) - 0.5
    seen = _see(rasterizer, pixels, depth(vertices, camera), model.triangles, (PANEL, PANEL))
    light = clay_light(reconstruction.placed_normals)
    opacity = _FAINT + (_CLEAR - _FAINT) * model.skin
    clay = np.column_stack([light * opacity, opacity]).astype(np.float32)
    layer = seen.smoothed(rasterizer.interpolate(clay[None], seen.fragments, seen.triangles))
    dots = _dots((reconstruction.crop.to_crop(reconstruction.landmarks68) + 0.5) * (PANEL / CROP_SIZE))
    panel = lay_over(photo, layer, CLAY, LINEAR, CODES)
    return lay_over(panel, np.stack([dots, dots], axis=2), _LANDMARK, LINEAR, CODES)


def _views(reconstruction: Reconstruction, rasterizer: Rasterizer) -> list[np.ndarray]:
    """(384, 304, 3) uint8: the textured face turned by each yaw, all in the same scale."""
    skin, texture = reconstruction.face_model.skin, reconstruction.texture
    light = reduced_light(texture, max(1, len(texture) // _TEXTURE), LINEAR)
    head, hair = reconstruction.whole_mesh, reconstruction.hair
    count = len(head.vertices)
    points = head.vertices if hair is None else np.concatenate([head.vertices, hair.mesh.vertices])
    shells = [] if hair is None else _lit_layers(hair)
    turns = np.stack([Pose(yaw, 0, 0).to_rotation() for yaw in YAWS])
    vertices = place(np.repeat(points[None], len(YAWS), axis=0), turns, np.zeros_like(turns))
    views = []
    for turned, camera in zip(vertices[:, None], _cameras(vertices, np.pad(skin, (0, len(points) - len(skin))))):
        pixels, depths = project(turned, camera), depth(turned, camera)
        solid = head.solid
        seen = _see(rasterizer, pixels[:, :count], depths[:, :count], solid.triangles, (PANEL, VIEW_WIDTH))
        uv_triangles = solid.uv_triangles[seen.front]
        picture = shade_texture(light, head.uv, seen.fragments, uv_triangles, float(LINEAR[_BACKGROUND]))
        drawn = []
        for shell, light_of_hair in shells:
            over = _see(rasterizer, pixels[:, count:], depths[:, count:], shell.triangles, (PANEL, VIEW_WIDTH))
            drawn.append(_drawn(shell, light_of_hair, over))
        # The head's border blends with the hair behind it.
        beside = np.where(np.isinf(seen.fragments.depth[0]), np.float32(np.inf), np.float32(-np.inf))
        for layer, nearest in drawn:
            lay_layer_over(picture[0], layer, nearest, beside)
        nearest_head = seen.fragments.depth[0]
        picture = lay_strands_over(seen.smoothed(picture), light, head, turned[0, :count], camera, nearest_head)
        for layer, nearest in drawn:
            lay_layer_over(picture, layer, nearest, nearest_head)
        views.append(encode(picture, CODES))
    return views


def _lit_layers(hair: Hair) -> list[tuple[Mesh, np.ndarray]]:
    """The layers of hair, and the light of its image times opacity."""
    light = light_times_opacity(hair.image, LINEAR)
    return [(layer, light) for layer in layers(hair)]


def _drawn(hair: Mesh, light: np.ndarray, seen: _Seen) -> tuple[np.ndarray, np.ndarray]:
    """A layer of hair (H, W, 4), light times opacity and opacity, and its depth (H, W)."""
    shown = seen.smoothed(shade_layer(light, hair.uv, seen.fragments, hair.uv_triangles[seen.front]))
    return shown, shown_depth(seen.fragments.depth[0], shown[..., 3])


def _cameras(vertices: np.ndarray, skin: np.ndarray) -> list[Camera]:
    """A camera for each view, the head in its middle down to the chin, the lowest facial skin; one focal length."""
    unit = project(vertices, Camera(focal_length_px=1.0, column=0.0, row=0.0))
    chin = unit[:, skin >= skin.max() / 2, 1].max()
    heads = [np.ascontiguousarray(view[view[:, 1] <= chin].T) for view in unit]
    low = np.stack([head.min(axis=1) for head in heads])
    high = np.stack([head.max(axis=1) for head in heads])
    low[:, 1], high[:, 1] = low[:, 1].min(), chin
    size = np.array([VIEW_WIDTH, PANEL])
    focal_length = float((size / (high - low)).min()) / MARGIN
    middles = (size - 1) / 2 - focal_length * (low + high) / 2
    return [Camera(focal_length, float(column), float(row)) for column, row in middles]


@dataclass(frozen=True)
class _Seen:
    """What a picture shows of a mesh."""

    front: np.ndarray  # (T,) bool, the mesh's triangles that face the camera
    triangles: np.ndarray  # (F, 3) these
    clip: np.ndarray  # (1, V, 4) float32
    fragments: Fragments  # of them

    def smoothed(self, picture: np.ndarray) -> np.ndarray:
        """The picture (H, W, C) of one (1, H, W, C), its silhouettes antialiased."""
        return antialias(picture, self.fragments, self.clip, self.triangles)[0]


def _see(
    rasterizer: Rasterizer, pixels: np.ndarray, depth: np.ndarray, mesh_triangles: np.ndarray, size: tuple[int, int]
) -> _Seen:
    """What a picture (height, width) shows of a mesh with vertices at pixels (1, V, 2)."""
    front = fronts(pixels[0], mesh_triangles)
    triangles = mesh_triangles[front]
    clip = clip_space(pixels, depth, size).astype(np.float32)
    return _Seen(front, triangles, clip, rasterizer.rasterize(clip, triangles, size))


def _dots(points: np.ndarray) -> np.ndarray:
    """Coverage (384, 384) in [0, 1] of dots at (P, 2) points; pixel edges are whole numbers."""
    sharp = 4
    mask = Image.new("L", (PANEL * sharp, PANEL * sharp))
    draw = ImageDraw.Draw(mask)
    for point in points * sharp - 0.5:
        draw.circle(tuple(point), _LANDMARK_RADIUS * sharp, fill=255)
    return np.asarray(mask.reduce(sharp), np.float32) / 255
