from dataclasses import replace

import numpy as np
import pytest
import torch

from deep3d.coefficients import COEFFICIENT_COUNT, FaceCoefficients
from deep3d.face_model import Components, FaceModel, default_face_model


@pytest.fixture
def coefficients() -> FaceCoefficients:
    vector = np.random.default_rng(7).normal(0, 0.5, (3, COEFFICIENT_COUNT))
    return FaceCoefficients.from_vector(vector.astype(np.float32))


def combine_by_loop(mean: np.ndarray, *parts: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Mean plus the weighted sum of components, one vertex and component at a time, in double precision."""
    result = mean.astype(np.float64)
    for weights, basis in parts:
        for weight, component in zip(weights, basis, strict=True):
            for vertex in range(len(mean)):
                result[vertex] += float(weight) * component[3 * vertex : 3 * vertex + 3]
    return result


def test_shape_is_the_mean_and_weighted_components(toy_face_model, coefficients):
    model = toy_face_model
    for face, vertices in enumerate(model.shape(coefficients)):
        identity = (coefficients.identity[face], model.identity_basis)
        expression = (coefficients.expression[face], model.expression_basis)
        np.testing.assert_allclose(vertices, combine_by_loop(model.mean_shape, identity, expression), atol=1e-5)


@pytest.mark.parametrize("model", ["toy_face_model", "shipped"])
def test_a_part_has_the_shape_of_the_whole(model, request, coefficients):
    whole = default_face_model() if model == "shipped" else request.getfixturevalue(model)
    vertices = np.array([5, 3, 140])
    np.testing.assert_allclose(
        whole.part(vertices).shape(coefficients), whole.shape(coefficients)[:, vertices], atol=1e-6
    )


def test_albedo_is_the_mean_and_weighted_components(toy_face_model, coefficients):
    model = toy_face_model
    for face, colours in enumerate(model.albedo(coefficients.albedo)):
        expected = combine_by_loop(model.mean_albedo, (coefficients.albedo[face], model.albedo_basis))
        np.testing.assert_allclose(colours, expected, atol=1e-5)


def test_neutral_shape_and_expression_add_up(toy_face_model, coefficients):
    neutral = toy_face_model.neutral_shape(coefficients.identity)
    offsets = toy_face_model.expression_offsets(coefficients.expression)
    np.testing.assert_allclose(toy_face_model.shape(coefficients), neutral + offsets, atol=1e-6)
    np.testing.assert_array_equal(
        toy_face_model.neutral_shape(np.zeros((1, 80), np.float32))[0], toy_face_model.mean_shape
    )


def test_landmarks_are_points_of_their_triangles(toy_face_model):
    model = toy_face_model
    vertices = np.stack([model.mean_shape, 2 * model.mean_shape])
    expected = np.zeros((2, 68, 3))
    for number, triangle in enumerate(model.landmark_triangles):
        for corner in range(3):
            weight = model.landmark_weights[number, corner]
            expected[:, number] += weight * vertices[:, model.triangles[triangle, corner]]
    np.testing.assert_allclose(model.landmarks(vertices), expected, atol=1e-6)
    np.testing.assert_allclose(model.landmarks(vertices[..., :2]), expected[..., :2], atol=1e-6)


def test_landmark_vertices_are_the_heaviest_corners(toy_face_model):
    for number, vertex in enumerate(toy_face_model.landmark_vertices):
        corners = list(toy_face_model.triangles[toy_face_model.landmark_triangles[number]])
        weights = toy_face_model.landmark_weights[number]
        assert weights[corners.index(vertex)] == weights.max()


def test_normals_face_outward(toy_face_model):
    normals = toy_face_model.normals(toy_face_model.mean_shape[None])[0]
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
    assert (normals[:, 2] > 0).all()


def test_mesh_shares_the_topology(toy_face_model):
    mesh = toy_face_model.mesh(toy_face_model.mean_shape)
    assert mesh.vertices.shape == (143, 3)
    assert mesh.uv[mesh.uv_triangles].shape == mesh.vertices[mesh.triangles][..., :2].shape


def test_torch_gives_the_same_shape_colours_and_landmarks(toy_face_model, coefficients):
    model = toy_face_model.to_torch()
    tensors = FaceCoefficients.from_vector(torch.as_tensor(coefficients.to_vector()))
    vertices = model.shape(tensors)
    np.testing.assert_allclose(vertices, toy_face_model.shape(coefficients), atol=1e-5)
    np.testing.assert_allclose(model.albedo(tensors.albedo), toy_face_model.albedo(coefficients.albedo), atol=1e-5)
    np.testing.assert_allclose(
        model.landmarks(vertices), toy_face_model.landmarks(toy_face_model.shape(coefficients)), atol=1e-5
    )
    np.testing.assert_allclose(
        model.normals(vertices), toy_face_model.normals(toy_face_model.shape(coefficients)), atol=1e-4
    )


def test_torch_gives_gradients_from_landmarks_to_coefficients(toy_face_model):
    model = toy_face_model.to_torch()
    model = replace(
        model,
        **{n: getattr(model, n).double() for n in ("mean_shape", "landmark_weights")},
        **{
            n: Components(getattr(model, n).values.double(), getattr(model, n).scale.double())
            for n in ("identity_components", "expression_components")
        },
    )
    vector = torch.zeros(1, COEFFICIENT_COUNT, dtype=torch.float64, requires_grad=True)

    def landmarks(vector):
        return model.landmarks(model.shape(FaceCoefficients.from_vector(vector)))

    assert torch.autograd.gradcheck(landmarks, vector, fast_mode=True)


def test_shape_and_albedo_match_the_reference(toy_face_model, face_model_golden):
    """Eight vertices of the stand-in Basel model, whose basis rows are stored."""
    golden = face_model_golden
    vertices = golden["basis_rows"].reshape(8, 3)[:, 0] // 3
    model: FaceModel = replace(
        toy_face_model,
        mean_shape=golden["rows_mean_shape"].reshape(8, 3),
        mean_albedo=golden["rows_mean_tex"].reshape(8, 3) / 255,
        identity_components=Components.of(golden["rows_id_base"].T),
        expression_components=Components.of(golden["rows_exp_base"].T),
        albedo_components=Components.of(golden["rows_tex_base"].T / 255),
    )
    stored = np.searchsorted(golden["vertex_index"], vertices)
    np.testing.assert_array_equal(golden["vertex_index"][stored], vertices)
    coefficients = FaceCoefficients.from_vector(golden["coeffs"])
    np.testing.assert_allclose(model.shape(coefficients), golden["face_shape"][:, stored], atol=2e-5)
    np.testing.assert_allclose(model.albedo(coefficients.albedo), golden["face_texture"][:, stored], atol=1e-6)


def test_what_is_derived_is_kept_with_its_model(toy_face_model):
    def largest_coordinate(model: FaceModel, axis: int) -> list[float]:
        return [float(model.mean_shape[:, axis].max())]

    first = toy_face_model.derived(largest_coordinate, 0)
    assert toy_face_model.derived(largest_coordinate, 0) is first
    assert toy_face_model.derived(largest_coordinate, 1) != first
    larger = replace(toy_face_model, mean_shape=2 * toy_face_model.mean_shape)
    assert larger.derived(largest_coordinate, 0) == [2 * first[0]]
