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
comment deep3d face: millimetres, y up, facing +z
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
    vertices = np.empty(len(mesh.vertices), _VERTEX)
    columns = ((_POSITION, mesh.vertices * MILLIMETRES), (_NORMAL, reconstruction.normals))
    for names, values in (*columns, (_COLOUR, vertex_colours(reconstruction))):
        for axis, name in enumerate(names):
            vertices[name] = values[:, axis]
    triangles = np.empty(len(mesh.triangles), _TRIANGLE)
    triangles["count"] = 3
    triangles["corners"] = mesh.triangles
    header = _HEADER.format(vertices=len(vertices), triangles=len(triangles))
    (folder / "face.ply").write_bytes(header.encode() + vertices.tobytes() + triangles.tobytes())


def vertex_colours(reconstruction: Reconstruction) -> np.ndarray:
    """(V, 3) uint8: the texture at each vertex, between texels bilinear; at a seam the one of its UVs listed last."""
    mesh, texture = reconstruction.mesh, reconstruction.texture
    uv_index = np.zeros(len(mesh.vertices), np.int64)
    uv_index[mesh.triangles] = mesh.uv_triangles
    uv = mesh.uv[uv_index].astype(np.float64)
    return np.rint(CpuRasterizer().texture(texture[None], uv[None, None])[0, 0]).astype(np.uint8)
