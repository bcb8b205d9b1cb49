"""All faces of a photo in one mesh, in the photo's coordinates, as 3DDFA_V2 writes it: PLY or OBJ.

Lengths are the photo's pixels: x is the column, y counts up from the photo's bottom row, and z is toward the camera,
each face by its own scale, 0 at the middle of its head. Vertex colours are those of the texture. A viewer that
looks down -z shows the faces like the photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deep3d.drawing.heads import pixels_per_decimetre
from deep3d.export.ply import ply, vertex_colours
from deep3d.reconstruction import Reconstruction


def write_scene_ply(faces: Sequence[Reconstruction], path: Path) -> None:
    """Write a binary PLY file with a colour for each vertex."""
    vertices, normals, colours, triangles = _scene(faces)
    path.write_bytes(ply(vertices, normals, colours, triangles, "pixels of the photo, y up, z toward the camera"))


def write_scene_obj(faces: Sequence[Reconstruction], path: Path) -> None:
    """Write an OBJ file whose `v` lines have colours, as MeshLab and Blender read them."""
    vertices, _, colours, triangles = _scene(faces)
    table = np.column_stack([vertices, colours / 255])
    lines = ("v %.3f %.3f %.3f %.4f %.4f %.4f\n" * len(table)) % tuple(table.reshape(-1).tolist())
    corners = ("f %d %d %d\n" * len(triangles)) % tuple((triangles + 1).reshape(-1).tolist())
    path.write_text("# deep3d faces: pixels of the photo, y up, z toward the camera\n" + lines + corners, "utf-8")


def _scene(faces: Sequence[Reconstruction]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3), normals (V, 3), colours (V, 3) uint8 and triangles (T, 3) of all faces."""
    vertices, normals, colours, triangles, count = [], [], [], [], 0
    for face in faces:
        seen = face.to_photo(face.vertices)
        middle = float(face.to_photo(np.zeros((1, 3)))[0, 2])
        height = face.photo.pixels.shape[0]
        depth = (middle - seen[:, 2]) * pixels_per_decimetre(face)
        vertices.append(np.column_stack([seen[:, 0], height - 1 - seen[:, 1], depth]))
        normals.append(face.placed_normals)
        colours.append(vertex_colours(face))
        triangles.append(face.face_model.triangles + count)
        count += len(seen)
    whole = [np.concatenate(parts) for parts in (vertices, normals, colours, triangles)]
    return whole[0], whole[1], whole[2], whole[3]
