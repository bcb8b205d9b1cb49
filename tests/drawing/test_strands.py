"""Single strands in pictures whose pixels are larger than they are."""

import numpy as np
import pytest

from deep3d.camera import Camera
from deep3d.drawing.strands import lay_strands_over
from deep3d.mesh import Mesh

CAMERA = Camera(focal_length_px=100.0, column=15.5, row=15.5, distance=10.0)
STEP = 0.107  # decimetres from one strand to the next
FAR = np.ones((32, 32), np.float32)


def fan(width):
    """Ten upright strands as wide as this, a decimetre high, and a triangle beside them."""
    left = STEP * np.arange(-5, 5)
    sides = [(dx, dy) for dx in (0, width) for dy in (-0.5, 0.5)]
    quads = np.stack([np.stack([left + dx, np.full(10, dy), np.zeros(10)], axis=1) for dx, dy in sides], axis=1)
    vertices = np.concatenate([quads.reshape(-1, 3), [[5.0, 5, 0], [5, 6, 0], [6, 5, 0]]]).astype(np.float32)
    first = 4 * np.arange(len(left))[:, None]
    strands = np.concatenate([first + [0, 2, 1], first + [1, 2, 3]])
    triangles = np.concatenate([[[40, 41, 42]], strands]).astype(np.int32)
    uv = np.full((len(vertices), 2), 0.5, np.float32)
    return Mesh(vertices, triangles, uv, triangles, strands=len(strands))


@pytest.mark.parametrize("width", [0.03, 0.06])
def test_strands_cover_pixels_by_their_share(width):
    mesh, dark = fan(width), np.zeros((4, 4, 3), np.float32)
    picture = np.full((32, 32, 3), 200, np.float32)
    drawn = lay_strands_over(picture, dark, mesh, mesh.vertices, CAMERA, FAR)
    inner = drawn[12:20, 11:20, 0]
    assert 1 - inner.mean() / 200 == pytest.approx(width / STEP, rel=0.2)
    assert inner.min() > 200 * (1 - width / 0.1) - 60  # a pixel is 0.1 decimetres large: none is a speck
    assert (picture == 200).all()


def test_the_head_hides_strands_behind_it():
    mesh = fan(0.03)
    picture = np.full((32, 32, 3), 200, np.float32)
    near = np.full((32, 32), -1, np.float32)
    assert (lay_strands_over(picture, np.zeros((4, 4, 3)), mesh, mesh.vertices, CAMERA, near) == 200).all()


def test_strands_beside_the_picture_and_meshes_without_any_change_nothing():
    mesh, dark = fan(0.03), np.zeros((4, 4, 3), np.float32)
    picture = np.full((32, 32, 3), 200, np.float32)
    away = mesh.vertices + np.array([9, 0, 0], np.float32)
    assert (lay_strands_over(picture, dark, mesh, away, CAMERA, FAR) == 200).all()
    assert lay_strands_over(picture, dark, mesh.solid, mesh.vertices, CAMERA, FAR) is picture
    assert len(mesh.solid.triangles) == 1 and mesh.solid.strands == 0
