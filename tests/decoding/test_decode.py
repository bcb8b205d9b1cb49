import numpy as np
import pytest

from deep3d.camera import depth, place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.decoding.decode import BATCH, decode

TOLERANCES = {  # those that ../shared/parity/README.md suggests
    "face_shape": 2e-5,
    "face_vertex": 2e-5,
    "vertex_normal_object": 2e-4,
    "vertex_normal_rotated": 2e-4,
    "face_texture": 1e-6,
    "face_color": 2e-4,
    "projection": 2e-3,
}
MEAN_TOLERANCES = {"projection": 2e-3}  # of mean and deviation over all vertices; 2e-5 for the others


@pytest.fixture(scope="module")
def decoded(bfm2009_model, face_model_golden) -> dict[str, np.ndarray]:
    return decode(bfm2009_model, FaceCoefficients.from_vector(face_model_golden["coeffs"]))


@pytest.mark.parametrize("name", TOLERANCES)
def test_vertices_match_the_reference(decoded, face_model_golden, name):
    there = decoded[name][:, face_model_golden["vertex_index"]]
    np.testing.assert_allclose(there, face_model_golden[name], rtol=0, atol=TOLERANCES[name])


@pytest.mark.parametrize("name", TOLERANCES)
def test_all_vertices_together_match_the_reference(decoded, face_model_golden, name):
    tolerance = MEAN_TOLERANCES.get(name, 2e-5)
    everything = decoded[name].astype(np.float64)
    np.testing.assert_allclose(everything.mean(axis=1), face_model_golden[f"all_mean_{name}"], atol=tolerance)
    np.testing.assert_allclose(everything.std(axis=1), face_model_golden[f"all_std_{name}"], atol=tolerance)


def test_positions_match_to_the_last_digits(decoded, face_model_golden):
    for name in ("face_shape", "face_vertex"):
        there = decoded[name][:, face_model_golden["vertex_index"]]
        np.testing.assert_allclose(there, face_model_golden[name], rtol=0, atol=3e-6)


def test_landmarks_and_rotation_match_the_reference(decoded, face_model_golden):
    np.testing.assert_allclose(decoded["landmarks"], face_model_golden["landmarks"], rtol=0, atol=2e-3)
    np.testing.assert_allclose(decoded["rotation"], face_model_golden["rotation"], rtol=0, atol=1e-6)


def test_the_conventions_are_those_of_the_reference_in_our_own_terms(toy_face_model):
    vector = np.random.default_rng(4).normal(0, 0.2, (3, 257)).astype(np.float32)
    face = FaceCoefficients.from_vector(vector)
    arrays = decode(toy_face_model, face)
    placed = place(toy_face_model.shape(face), face.rotation, face.translation)
    np.testing.assert_allclose(arrays["face_vertex"][..., 2], depth(placed))
    np.testing.assert_allclose(arrays["projection"] * [1, -1] + [0, 223], project(placed), atol=1e-4)
    np.testing.assert_allclose(arrays["face_shape"] @ arrays["rotation"] + face.translation[:, None], placed, atol=1e-6)


def test_nothing_is_clamped(toy_face_model):
    vector = np.zeros((1, 257), np.float32)
    vector[0, 227] = 10.0  # red light
    assert decode(toy_face_model, FaceCoefficients.from_vector(vector))["face_color"].max() > 1


@pytest.mark.parametrize("count", [1, BATCH, BATCH + 3])
def test_any_number_of_faces(toy_face_model, count):
    vectors = np.random.default_rng(5).normal(0, 0.2, (count, 257)).astype(np.float32)
    arrays = decode(toy_face_model, FaceCoefficients.from_vector(vectors))
    assert arrays["face_shape"].shape == (count, 143, 3)
    alone = decode(toy_face_model, FaceCoefficients.from_vector(vectors[-1:]))
    for name, value in alone.items():
        np.testing.assert_allclose(arrays[name][-1:], value, atol=1e-4)
