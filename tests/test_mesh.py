import numpy as np
import pytest
import torch
from scipy.io import loadmat

from deep3d.errors import ShapeError
from deep3d.mesh import normalize, triangle_normals, vertex_normals, vertex_triangles


def vertex_normals_by_loop(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    total = np.zeros_like(vertices)
    for a, b, c in triangles:
        normal = np.cross(vertices[b] - vertices[a], vertices[c] - vertices[a])
        total[[a, b, c]] += normal / np.linalg.norm(normal)
    return total / np.linalg.norm(total, axis=1, keepdims=True)


def test_adjacency_lists_the_triangles_of_each_vertex(toy_face_model):
    triangles = toy_face_model.triangles
    table = vertex_triangles(triangles, len(toy_face_model.mean_shape))
    for vertex, row in enumerate(table):
        expected = [t for t, corners in enumerate(triangles) if vertex in corners]
        assert sorted(row)[: len(expected)] == expected
        assert all(row[len(expected) :] == len(triangles))


def test_adjacency_of_a_vertex_without_triangles_is_empty():
    table = vertex_triangles(np.array([[0, 1, 3]]), 5)
    np.testing.assert_array_equal(table, [[0], [0], [1], [0], [1]])


def test_adjacency_matches_the_reference(shared, face_model_golden):
    info = loadmat(shared / "parity" / "bfm_indices" / "facemodel_info.mat")
    table = vertex_triangles(info["tri"].astype(np.int32) - 1, 35709)
    np.testing.assert_array_equal(np.sort(table), np.sort(info["point_buf"].astype(np.int32) - 1))
    degree = (table < len(info["tri"])).sum(axis=1)
    np.testing.assert_array_equal(degree[face_model_golden["vertex_index"]], face_model_golden["vertex_degree"])


def test_triangle_normals_point_to_where_the_corners_run_counter_clockwise():
    vertices = np.array([[[0.0, 0, 0], [2, 0, 0], [0, 3, 0]]])
    np.testing.assert_array_equal(
        triangle_normals(vertices, np.array([[0, 1, 2], [0, 2, 1]])), [[[0, 0, 1], [0, 0, -1]]]
    )


def test_vertex_normals_match_the_loop(toy_face_model):
    vertices = toy_face_model.mean_shape + np.random.default_rng(0).normal(0, 0.02, (2, 143, 3))
    normals = vertex_normals(vertices, toy_face_model.triangles, toy_face_model.adjacency)
    expected = [vertex_normals_by_loop(one, toy_face_model.triangles) for one in vertices]
    np.testing.assert_allclose(normals, expected, atol=1e-12)


def test_vertex_normals_are_the_same_in_torch_and_have_gradients(toy_face_model):
    vertices = toy_face_model.mean_shape[None].astype(np.float64)
    triangles, adjacency = (torch.as_tensor(a) for a in (toy_face_model.triangles, toy_face_model.adjacency))
    expected = vertex_normals(vertices, toy_face_model.triangles, toy_face_model.adjacency)
    tensor = torch.tensor(vertices, requires_grad=True)
    np.testing.assert_allclose(vertex_normals(tensor, triangles, adjacency).detach(), expected, atol=1e-12)
    direction = torch.linspace(-1, 1, expected.size, dtype=torch.float64).reshape(expected.shape)
    assert torch.autograd.gradcheck(
        lambda v: (vertex_normals(v, triangles, adjacency) * direction).sum(), tensor, fast_mode=True
    )


def test_a_degenerate_triangle_gives_no_normal_and_no_bad_gradient():
    vertices = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0]]], requires_grad=True)
    triangles = np.array([[0, 1, 2], [0, 1, 3]], np.int32)
    adjacency = torch.as_tensor(vertex_triangles(triangles, 4))
    normals = vertex_normals(vertices, torch.as_tensor(triangles), adjacency)
    np.testing.assert_array_equal(normals.detach()[0], [[0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 0, 0]])
    normals[..., 0].sum().backward()
    assert vertices.grad is not None and torch.isfinite(vertices.grad).all()


def test_normalize_keeps_zero_vectors():
    np.testing.assert_allclose(normalize(np.array([[3.0, 0, 4], [0, 0, 0]])), [[0.6, 0, 0.8], [0, 0, 0]])


def test_vertices_without_a_batch_are_refused(toy_face_model):
    with pytest.raises(ShapeError, match=r"\(143, 3\)"):
        vertex_normals(toy_face_model.mean_shape, toy_face_model.triangles, toy_face_model.adjacency)
