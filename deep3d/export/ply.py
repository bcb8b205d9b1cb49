"""face.ply: the Stanford polygon format, binary, millimetres, a normal and a colour for each vertex."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deep3d.mesh import MILLIMETRES
from deep3d.reconstruction import Reconstruction
from deep3d.rendering.cpu import CpuRasterizer

_POSITION, _NORMAL, _COLOUR = ("x", "y", "z"), ("nx", "ny", "nz"), ("red", "green", "blue")
_VERTEX = np.dtype([(name, "<f4") for name in _POSITION + _NORMAL] + [(name, "u1") for name in _COLOUR])
_TRIANGLE = np.dtype([("count", "u1"), ("corners", "<i4", 3)])
_HEADER = """\
ply
format binary_little_endian 1.0
comment deep3d face: {frame}
element vertex {vertices}
property float x
property float y
property float z
property float nx
property float ny
property float nz
property uchar red
property uchar green
property uchar blue
element face {triangles}
property list uchar int vertex_indices
end_header
"""


def write_ply(reconstruction: Reconstruction, folder: Path) -> None:
    """Write face.ply into a folder: the vertices and triangles of face.obj."""
    mesh = reconstruction.mesh
    content = ply(
        mesh.vertices * MILLIMETRES,
        reconstruction.normals,
        vertex_colours(reconstruction),
        mesh.triangles,
        "millimetres, y up, facing +z",
    )
    (folder / "face.ply").write_bytes(content)


def ply(vertices: np.ndarray, normals: np.ndarray, colours: np.ndarray, triangles: np.ndarray, frame: str) -> bytes:
    """A binary PLY file of vertices, normals and colours (uint8), (V, 3) each, and triangles (T, 3).

    `frame` describes unit and axes in a comment.
    """
    rows = np.empty(len(vertices), _VERTEX)
    for names, values in ((_POSITION, vertices), (_NORMAL, normals), (_COLOUR, colours)):
        for axis, name in enumerate(names):
            rows[name] = values[:, axis]
    corners = np.empty(len(triangles), _TRIANGLE)
    corners["count"] = 3
    corners["corners"] = triangles
    header = _HEADER.format(frame=frame, vertices=len(rows), triangles=len(corners))
    return header.encode() + rows.tobytes() + corners.tobytes()


def vertex_colours(reconstruction: Reconstruction) -> np.ndarray:
    """(V, 3) uint8: the texture at each vertex, bilinear; at a seam, at its last UV."""
    mesh, texture = reconstruction.mesh, reconstruction.texture
    uv_index = np.zeros(len(mesh.vertices), np.int64)
    uv_index[mesh.triangles] = mesh.uv_triangles
    uv = mesh.uv[uv_index].astype(np.float64)
    return np.rint(CpuRasterizer().texture(texture[None], uv[None, None])[0, 0]).astype(np.uint8)
