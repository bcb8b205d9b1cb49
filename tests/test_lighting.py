import numpy as np
import pytest
import torch

from deep3d.coefficients import FaceCoefficients
from deep3d.lighting import AMBIENT, harmonics, harmonics_by_normal, irradiance, shade


@pytest.fixture
def normals() -> np.ndarray:
    vectors = np.random.default_rng(2).normal(size=(2, 30, 3))
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.fixture
def lighting() -> np.ndarray:
    return np.random.default_rng(3).normal(0, 0.3, (2, 27))


def shade_by_loop(albedo: np.ndarray, normals: np.ndarray, lighting: np.ndarray) -> np.ndarray:
    """Written out from the description of the reference: k0, k1, k2 and nine terms."""
    k0, k1, k2 = 0.886226925, 1.772453851, 2.427032391
    colours = np.zeros_like(albedo)
    for face, vertex in np.ndindex(albedo.shape[:2]):
        x, y, z = normals[face, vertex]
        terms = [k0, -k1 * y, k1 * z, -k1 * x, k2 * x * y, -k2 * y * z]
        terms += [k2 * (3 * z**2 - 1) / (2 * np.sqrt(3)), -k2 * x * z, k2 * (x**2 - y**2) / 2]
        for channel in range(3):
            weights = lighting[face, 9 * channel : 9 * channel + 9].copy()
            weights[0] += 0.8
            colours[face, vertex, channel] = albedo[face, vertex, channel] * np.dot(weights, terms)
    return colours


def test_shading_matches_the_loop(normals, lighting):
    albedo = np.random.default_rng(4).uniform(size=normals.shape)
    np.testing.assert_allclose(shade(albedo, normals, lighting), shade_by_loop(albedo, normals, lighting), atol=1e-8)


def test_shading_matches_the_reference(face_model_golden):
    coefficients = FaceCoefficients.from_vector(face_model_golden["coeffs"])
    colours = shade(
        face_model_golden["face_texture"], face_model_golden["vertex_normal_rotated"], coefficients.lighting
    )
    np.testing.assert_allclose(colours, face_model_golden["face_color"], atol=1e-6)


def test_the_harmonics_are_orthogonal_over_the_sphere():
    z, azimuth = np.meshgrid((np.arange(200) + 0.5) / 100 - 1, (np.arange(200) + 0.5) / 100 * np.pi)
    ring = np.sqrt(1 - z**2)
    values = harmonics(np.stack([ring * np.cos(azimuth), ring * np.sin(azimuth), z], axis=-1).reshape(-1, 3))
    scales = np.array([np.pi] + [2 * np.pi / np.sqrt(3)] * 3 + [2 * np.pi / np.sqrt(8)] * 5)
    gram = 4 * np.pi * values.T @ values / len(values)
    np.testing.assert_allclose(gram, np.diag(scales**2), atol=2e-3)


def test_zero_lighting_is_plain_white_ambient_light(normals):
    expected = AMBIENT * np.sqrt(np.pi) / 2
    np.testing.assert_allclose(irradiance(normals, np.zeros((2, 27))), expected)


def test_nine_coefficients_light_all_channels_alike(normals, lighting):
    white = lighting[:, :9]
    np.testing.assert_allclose(irradiance(normals, white), irradiance(normals, np.tile(white, 3)))


def test_shading_is_the_same_in_torch_and_has_gradients(normals, lighting):
    albedo = np.random.default_rng(5).uniform(size=normals.shape)
    tensors = [torch.tensor(a, requires_grad=True) for a in (albedo, normals, lighting)]
    np.testing.assert_allclose(shade(*tensors).detach(), shade(albedo, normals, lighting), atol=1e-12)
    assert torch.autograd.gradcheck(shade, tensors, fast_mode=True)


def test_single_precision_stays_single(normals, lighting):
    assert irradiance(normals.astype(np.float32), lighting.astype(np.float32)).dtype == np.float32


def test_derivatives_of_the_harmonics():
    normals = np.random.default_rng(3).normal(size=(20, 3))
    derivatives = harmonics_by_normal(normals)
    for axis in range(3):
        step = 1e-6 * np.eye(3)[axis]
        slope = (harmonics(normals + step) - harmonics(normals - step)) / 2e-6
        np.testing.assert_allclose(derivatives[..., axis], slope, atol=1e-7)
