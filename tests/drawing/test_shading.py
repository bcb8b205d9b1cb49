import numpy as np
import pytest

from deep3d.camera import clip_space, depth, project
from deep3d.drawing.shading import encode, fronts, lay_over, shade_texture, shade_vertices
from deep3d.rendering.cpu import CpuRasterizer


@pytest.fixture(scope="module")
def fragments(toy_face_model):
    vertices = toy_face_model.mean_shape[None]
    clip = clip_space(project(vertices), depth(vertices), (224, 224)).astype(np.float32)
    return CpuRasterizer().rasterize(clip, toy_face_model.triangles, (224, 224))


def halved(picture: np.ndarray) -> np.ndarray:
    height, width, channels = picture.shape
    return picture.reshape(height // 2, 2, width // 2, 2, channels).mean(axis=(1, 3))


def test_vertex_colours_are_interpolated_and_averaged(toy_face_model, fragments):
    colours = np.random.default_rng(0).random((len(toy_face_model.mean_shape), 4), np.float32)
    expected = halved(CpuRasterizer().interpolate(colours[None], fragments, toy_face_model.triangles)[0])
    assert expected.any()
    np.testing.assert_allclose(shade_vertices(colours, fragments, toy_face_model.triangles), expected, atol=1e-6)


@pytest.fixture
def shaded_and_expected(toy_face_model, fragments):
    """What an image gives in linear light, and the mean of four looks for each pixel."""
    model = toy_face_model

    def shade(image):
        linear = (np.arange(256, dtype=np.float32) / 255) ** 2
        uv = CpuRasterizer().interpolate(model.uv[None].astype(np.float32), fragments, model.uv_triangles)
        codes = np.rint(CpuRasterizer().texture(image[None], uv)[0]).astype(int)
        covered = (fragments.triangle[0] >= 0)[..., None]
        expected = halved(np.where(covered, linear[codes], np.float32(0.3)))
        return shade_texture(image, model.uv, fragments, model.uv_triangles, linear, 0.3), expected

    return shade


def test_texture_is_sampled_and_averaged_in_linear_light(shaded_and_expected):
    image = np.random.default_rng(1).integers(0, 256, (800, 800, 3), np.uint8)  # texels finer than the looks
    shaded, expected = shaded_and_expected(image)
    np.testing.assert_allclose(shaded, expected, atol=1 / 255)  # a code may be rounded the other way
    assert np.abs(shaded - expected).mean() < 1e-5


def test_looks_that_lie_together_are_one(shaded_and_expected):
    image = np.zeros((16, 8, 3), np.uint8)  # texels far coarser than the looks
    image[8:] = 200
    shaded, expected = shaded_and_expected(image)
    np.testing.assert_allclose(shaded, expected, atol=0.02)


def test_light_gets_the_nearest_code():
    codes = np.arange(256, dtype=np.uint8)
    light = np.array([[[0, 0.4 / 255, 0.6 / 255], [1, 0.5, 254.4 / 255]]], np.float32)
    assert encode(light, codes).tolist() == [[[0, 0, 1], [255, 128, 254]]]


def test_a_triangle_shows_its_front_when_its_corners_go_round_as_seen_from_outside():
    pixels = np.array([[0, 0], [0, 10], [10, 0]], float)  # down, then right: counter-clockwise on the screen
    triangles = np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0], [0, 0, 1]], np.int32)
    assert fronts(pixels, triangles).tolist() == [True, False, True, False]


def test_a_layer_is_mixed_in_linear_light():
    codes = np.arange(256, dtype=np.uint8)
    linear = np.arange(256, dtype=np.float32) / 255
    picture = np.full((1, 3, 3), 100, np.uint8)
    layer = np.array([[[0, 0], [0.2, 0.4], [1, 1]]], np.float32)
    colour = np.array([1, 0.5, 0], np.float32)
    mixed = lay_over(picture, layer, colour, linear, codes)
    assert mixed.tolist() == [[[100, 100, 100], [60 + 51, 60 + 26, 60], [255, 128, 0]]]
