"""A textured head from any side, with the same camera and framing as the site's 3D viewer."""

from __future__ import annotations

import math

import numpy as np

from deep3d.camera import Camera, Pose, place
from deep3d.drawing.hair import draw_layers
from deep3d.drawing.strands import lay_strands_over
from deep3d.hair import Hair
from deep3d.mesh import Mesh
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.renderer import Renderer

FIELD_OF_VIEW = 25.0  # degrees, vertical and horizontal, as a portrait lens sees
MARGIN = 1.1  # size of the picture over that of the head in it
WHITE = (255, 255, 255)


def draw_view(
    mesh: Mesh,
    texture: np.ndarray,
    pose: Pose,
    size: int = 1024,
    background: tuple[int, int, int] = WHITE,
    hair: Hair | None = None,
) -> np.ndarray:
    """(size, size, 3) uint8: a mesh in decimetres with its texture (h, w, 3) uint8, turned to a pose, with its hair.

    The head turns about the middle of its bounding box: first by yaw about its own upright axis, then by pitch, then
    by roll in the picture; the viewer's angles work the same way. The camera stands far enough to show the whole
    head, whose outline lies in front of its middle.
    """
    points = mesh.vertices if hair is None else np.concatenate([mesh.vertices, hair.mesh.vertices])
    low, high = points.min(axis=0), points.max(axis=0)
    width, height, length = high - low
    half = MARGIN * max(width, height, length) / 2
    tangent = math.tan(math.radians(FIELD_OF_VIEW / 2))
    camera = Camera(size / 2 / tangent, (size - 1) / 2, (size - 1) / 2, float(half / tangent + length / 4))
    vertices = (points - (low + high) / 2)[None]
    for turn in (Pose(pose.yaw, 0, 0), Pose(0, pose.pitch, 0), Pose(0, 0, pose.roll)):
        vertices = place(vertices, turn.to_rotation()[None], np.zeros((1, 3), np.float32))
    head, covering = np.split(vertices.astype(np.float32), [len(mesh.vertices)], axis=1)
    renderer = Renderer(CpuRasterizer(), camera, (size, size))
    image = texture[None].astype(np.float32)
    drawn = [] if hair is None else draw_layers(hair, covering[0], renderer)
    behind = np.array(background, np.float32)
    for layer in drawn:
        behind = layer.over(behind)
    rendering = renderer.render_texture(head, mesh.solid, image, behind.astype(np.float32))
    nearest = rendering.fragments.depth[0]
    picture = lay_strands_over(rendering.picture[0], image[0], mesh, head[0], camera, nearest)
    for layer in drawn:
        picture = layer.over(picture, nearest)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
