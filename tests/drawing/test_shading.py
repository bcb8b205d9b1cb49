import numpy as np
import pytest

from deep3d.camera import clip_space, depth, project
from deep3d.drawing.shading import encode, lay_over, reduced_light, shade_texture
from deep3d.rendering.cpu import CpuRasterizer


@pytest.fixture(scope="module")
def fragments(toy_face_model):
    vertices = toy_face_model.mean_shape[None]
    clip = clip_space(project(vertices), depth(vertices), (224, 224)).astype(np.float32)
    return CpuRasterizer().rasterize(clip, toy_face_model.triangles, (224, 224))


def test_light_of_a_texture_is_what_the_rasteriser_samples(toy_face_model, fragments):
    model = toy_face_model
    light = np.random.default_rng(1).random((40, 30, 3), np.float32)
    uv = CpuRasterizer().interpolate(model.uv[None].astype(np.float32), fragments, model.uv_triangles)
    covered = (fragments.triangle >= 0)[..., None]
    expected = np.where(covered, CpuRasterizer().texture(light[None], uv), np.float32(0.3))
    shaded = shade_texture(light, model.uv, fragments, model.uv_triangles, 0.3)
    assert 0.1 < covered.mean() < 0.9
    np.testing.assert_allclose(shaded, expected, atol=1e-4)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_texture_is_reduced_in_linear_light(step):
    image = np.random.default_rng(2).integers(0, 256, (12, 18, 3), np.uint8)
    linear = (np.arange(256, dtype=np.float32) / 255) ** 2
    expected = linear[image].reshape(12 // step, step, 18 // step, step, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(reduced_light(image, step, linear), expected, atol=1e-6)


def test_light_gets_the_nearest_code():
    codes = np.arange(256, dtype=np.uint8)
    light = np.array([[[0, 0.4 / 255, 0.6 / 255], [1, 0.5, 254.4 / 255], [-0.1, 1.1, 0]]], np.float32)
    assert encode(light, codes).tolist() == [[[0, 0, 1], [255, 128, 254], [0, 255, 0]]]


def test_a_layer_is_mixed_in_linear_light():
    codes = np.arange(256, dtype=np.uint8)
    linear = np.arange(256, dtype=np.float32) / 255
    picture = np.full((1, 3, 3), 100, np.uint8)
    layer = np.array([[[0, 0], [0.2, 0.4], [1, 1]]], np.float32)
    colour = np.array([1, 0.5, 0], np.float32)
    mixed = lay_over(picture, layer, colour, linear, codes)
    assert mixed.tolist() == [[[100, 100, 100], [60 + 51, 60 + 26, 60], [255, 128, 0]]]
