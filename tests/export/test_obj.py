from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from deep3d.export import write_obj


@pytest.fixture(scope="module")
def folder(toy_reconstruction, tmp_path_factory):
    folder = tmp_path_factory.mktemp("obj")
    write_obj(toy_reconstruction, folder)
    return folder


def numbers(folder, kind):
    lines = (folder / "face.obj").read_text().splitlines()
    return [line.split()[1:] for line in lines if line.split()[0] == kind]


def test_vertices_are_the_models_in_order_and_millimetres(folder, toy_reconstruction):
    vertices = np.array(numbers(folder, "v"), float)
    np.testing.assert_allclose(vertices, toy_reconstruction.vertices * 100, atol=6e-5)


def test_numbers_are_written_as_python_writes_them(toy_reconstruction, with_texture, tmp_path):
    powers = 10.0 ** np.random.default_rng(0).uniform(-8, 3, toy_reconstruction.vertices.shape)
    vertices = (powers * np.where(powers % 2 < 1, 1, -1)).astype(np.float32)
    vertices[0] = 0, 0.5 / 2**10, -99.99995
    face = with_texture(toy_reconstruction, toy_reconstruction.texture)
    face.__dict__["vertices"] = vertices  # where the cached property keeps them
    write_obj(face, tmp_path)
    expected = [[f"{number:.4f}" for number in vertex] for vertex in (vertices * np.float32(100)).tolist()]
    assert numbers(tmp_path, "v") == expected


def test_rotation_and_translation_are_removed_and_expression_is_not(folder, toy_reconstruction):
    model, coefficients = toy_reconstruction.face_model, toy_reconstruction.coefficients
    vertices = np.array(numbers(folder, "v"), float) / 100
    expected = model.neutral_shape(coefficients.identity) + model.expression_offsets(coefficients.expression)
    np.testing.assert_allclose(vertices, expected[0], atol=1e-6)


def test_corners_point_at_vertices_and_uvs_from_one(folder, toy_reconstruction):
    mesh = toy_reconstruction.mesh
    corners = np.array([[part.split("/") for part in line] for line in numbers(folder, "f")], int)
    np.testing.assert_array_equal(corners[..., 0], mesh.triangles + 1)
    np.testing.assert_array_equal(corners[..., 1], mesh.uv_triangles + 1)
    np.testing.assert_allclose(np.array(numbers(folder, "vt"), float), mesh.uv, atol=1e-6)


def test_normals_make_the_surface_smooth(folder, toy_reconstruction):
    """By the number of their vertex, for readers that take them, and by a smoothing group for those that do not."""
    mesh = toy_reconstruction.mesh
    corners = np.array([[part.split("/") for part in line] for line in numbers(folder, "f")], int)
    np.testing.assert_array_equal(corners[..., 2], mesh.triangles + 1)
    np.testing.assert_allclose(np.array(numbers(folder, "vn"), float), toy_reconstruction.normals, atol=6e-5)
    lines = (folder / "face.obj").read_text().splitlines()
    assert lines.index("s 1") < min(number for number, line in enumerate(lines) if line.startswith("f "))


def test_another_reader_sees_the_same_mesh_with_its_texture(folder, toy_reconstruction):
    mesh: Any = trimesh.load_mesh(folder / "face.obj", process=False)
    assert mesh.visual.kind == "texture"
    expected = toy_reconstruction.vertices[toy_reconstruction.face_model.triangles] * 100
    np.testing.assert_allclose(mesh.triangles, expected, atol=1e-4)
    uv = toy_reconstruction.mesh.uv[toy_reconstruction.mesh.uv_triangles]
    np.testing.assert_allclose(mesh.visual.uv[mesh.faces], uv, atol=1e-6)
    np.testing.assert_array_equal(np.asarray(mesh.visual.material.image), toy_reconstruction.texture)


def test_texture_is_stored_without_loss(folder, toy_reconstruction):
    with Image.open(folder / "texture.png") as image:
        np.testing.assert_array_equal(np.asarray(image), toy_reconstruction.texture)
