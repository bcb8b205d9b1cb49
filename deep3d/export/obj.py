"""face.obj with face.mtl and texture.png: Wavefront's text format, millimetres."""

from __future__ import annotations

from pathlib import Path

import numba
import numpy as np

from deep3d.export.images import png
from deep3d.face_model import FaceModel
from deep3d.mesh import MILLIMETRES, Mesh
from deep3d.reconstruction import Reconstruction

_HEADER = b"# deep3d face: millimetres, y up, facing +z\nmtllib face.mtl\no face\n"
_MATERIAL = b"newmtl face\nillum 0\nKd 1 1 1\nmap_Kd texture.png\n"  # illum 0: the light of the photo is in the texture
_DECIMALS = 10_000
_LEAST_DIGITS = 5  # of a number: one before the point, four after it


def write_obj(reconstruction: Reconstruction, folder: Path) -> None:
    """Write face.obj, face.mtl and texture.png into a folder: all vertices in model order, one `v` line each.

    Each vertex has one normal with the same number; the smoothing group is for readers that compute normals themselves.
    """
    vertices = _lines_of("v", reconstruction.vertices * MILLIMETRES)
    normals = _lines_of("vn", reconstruction.normals)
    topology = reconstruction.face_model.derived(_topology)
    (folder / "face.obj").write_bytes(b"".join([_HEADER, vertices, normals, topology]))
    (folder / "face.mtl").write_bytes(_MATERIAL)
    (folder / "texture.png").write_bytes(png(reconstruction.texture))


def mesh_files(mesh: Mesh, name: str, texture: str) -> dict[str, bytes]:
    """The contents of NAME.obj and NAME.mtl, for a picture to which the mesh's texture coordinates belong."""
    corners = np.stack([mesh.triangles, mesh.uv_triangles], axis=2) + 1
    parts = [
        f"# deep3d: x right, y up, z toward the camera\nmtllib {name}.mtl\no {name}\n".encode(),
        _lines_of("v", mesh.vertices),
        _lines("vt %.6f %.6f\n", mesh.uv).encode(),
        f"usemtl {name}\n".encode(),
        _lines("f" + " %d/%d" * 3 + "\n", corners.reshape(-1, 6)).encode(),
    ]
    material = f"newmtl {name}\nillum 0\nKd 1 1 1\nmap_Kd {texture}\n"
    return {f"{name}.obj": b"".join(parts), f"{name}.mtl": material.encode()}


def _topology(face_model: FaceModel) -> bytes:
    """The lines that are the same for every face of a model: UVs and triangles, numbered from 1."""
    corners = np.stack([face_model.triangles, face_model.uv_triangles, face_model.triangles], axis=2) + 1
    triangles = _lines("f" + " %d/%d/%d" * 3 + "\n", corners.reshape(-1, 9))
    return (_lines("vt %.6f %.6f\n", face_model.uv) + "s 1\nusemtl face\n" + triangles).encode()


def _lines(line: str, table: np.ndarray) -> str:
    """One line of text per row, by a single call of the string formatter: ten times as fast as row by row."""
    return (line * len(table)) % tuple(table.reshape(-1).tolist())


def _lines_of(kind: str, points: np.ndarray) -> memoryview:
    """A line "v %.4f %.4f %.4f", or of another kind, for each of (V, 3), in a twentieth of the formatter's time."""
    name = np.frombuffer(kind.encode(), np.uint8)
    scaled = np.rint(np.abs(points.astype(np.float64)) * _DECIMALS).astype(np.int64)
    longest = len(name) + 1 + 3 * (2 + max(len(str(scaled.max())), _LEAST_DIGITS) + 1)
    text = np.empty(len(points) * longest, np.uint8)
    return text[: _write_points(name, scaled, points < 0, text)].data


@numba.njit(cache=True, nogil=True)
def _write_points(name, scaled, negative, text):
    """Write lines of numbers (V, 3), given in units of the last decimal without signs; the length of the text."""
    digits = np.empty(20, np.uint8)
    end = 0
    for v in range(len(scaled)):
        for letter in name:
            text[end] = letter
            end += 1
        for axis in range(3):
            text[end] = ord(" ")
            end += 1
            if negative[v, axis]:
                text[end] = ord("-")
                end += 1
            value, count = scaled[v, axis], 0
            while value > 0 or count < _LEAST_DIGITS:
                digits[count] = ord("0") + value % 10
                value //= 10
                count += 1
            for n in range(count):
                if count - n == _LEAST_DIGITS - 1:
                    text[end] = ord(".")
                    end += 1
                text[end] = digits[count - 1 - n]
                end += 1
        text[end] = ord("\n")
        end += 1
    return end
