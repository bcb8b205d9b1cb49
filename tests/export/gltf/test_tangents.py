"""Tangents are those of textbook surfaces."""

import numpy as np
import pytest

from deep3d.export.gltf.tangents import vertex_tangents

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]])
OUT = np.tile([0.0, 0, 1], (4, 1))
UPRIGHT = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], float)  # v runs down, as in glTF


def test_an_upright_texture_grows_to_the_right_and_up():
    assert np.allclose(vertex_tangents(SQUARE, OUT, UPRIGHT, TRIANGLES), [1, 0, 0, 1])


def test_a_mirrored_texture_is_told():
    assert np.allclose(vertex_tangents(SQUARE, OUT, UPRIGHT * [-1, 1] + [1, 0], TRIANGLES), [-1, 0, 0, -1])


@pytest.mark.parametrize("degrees", [30, 140, 250])
def test_a_texture_that_is_turned_turns_its_tangents(degrees):
    angle = np.radians(degrees)
    right = np.array([np.cos(angle), np.sin(angle)])
    uv = np.stack([SQUARE[:, :2] @ right, -SQUARE[:, :2] @ [-right[1], right[0]]], axis=1)
    assert np.allclose(vertex_tangents(SQUARE, OUT, uv, TRIANGLES), [*right, 0, 1])


def test_they_stand_at_right_angles_to_normals_and_have_a_length_of_one():
    normals = OUT + np.random.default_rng(0).normal(0, 0.3, OUT.shape)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    found = vertex_tangents(SQUARE, normals, UPRIGHT, TRIANGLES)
    assert np.abs((found[:, :3] * normals).sum(axis=1)).max() < 1e-6
    assert np.allclose(np.linalg.norm(found[:, :3], axis=1), 1)


def test_a_point_of_the_texture_gets_some_tangent():
    found = vertex_tangents(SQUARE, OUT, np.zeros((4, 2)), TRIANGLES)
    assert np.allclose(np.linalg.norm(found[:, :3], axis=1), 1) and np.isin(found[:, 3], [-1, 1]).all()
