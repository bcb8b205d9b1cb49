from __future__ import annotations

import numpy as np
import pytest
import torch

from deep3d.camera import Camera, project
from deep3d.mesh import Mesh
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.renderer import Renderer

SQUARE = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]], np.float32)  # decimetres
UV = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
MESH = Mesh(SQUARE, TRIANGLES, UV, TRIANGLES)
RENDERER = Renderer(CpuRasterizer())


def test_picture_lies_where_the_camera_projects_the_vertices():
    rendering = RENDERER.render_colors(SQUARE[None], TRIANGLES, np.ones((1, 4, 3), np.float32))
    rows, columns = np.nonzero(rendering.mask[0] > 0.5)
    pixels = project(SQUARE[None])[0]
    assert [columns.min(), rows.min()] == np.ceil(pixels.min(axis=0)).tolist()
    assert [columns.max(), rows.max()] == np.floor(pixels.max(axis=0)).tolist()
    assert rendering.picture.dtype == rendering.mask.dtype == np.float32


def test_mask_adds_up_to_the_projected_area():
    camera = Camera(focal_length_px=333.0, column=50.3, row=44.7)
    rendering = Renderer(CpuRasterizer(), camera, (90, 110)).render_colors(
        SQUARE[None], TRIANGLES, np.ones((1, 4, 3), np.float32)
    )
    assert rendering.picture.shape == (1, 90, 110, 3)
    np.testing.assert_allclose(rendering.mask.sum(), 33.3**2, rtol=1e-3)


def test_textures_stand_upright_before_the_background():
    image = np.zeros((1, 2, 2, 3), np.float32)
    image[0, 0, 0], image[0, 0, 1], image[0, 1, 0], image[0, 1, 1] = [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]
    blue = np.array([0.1, 0.2, 0.9], np.float32)
    picture = RENDERER.render_texture(SQUARE[None], MESH, image, blue).picture[0]
    corners = picture[[70, 70, 152, 152], [71, 153, 71, 153]]  # a little inside the square
    np.testing.assert_allclose(corners, image.reshape(4, 3), atol=1e-5)
    np.testing.assert_array_equal(picture[10, 10], blue)


def test_background_may_be_a_picture_and_shows_through_the_edge():
    background = np.random.default_rng(0).random((1, 224, 224, 3)).astype(np.float32)
    rendering = RENDERER.render_colors(SQUARE[None], TRIANGLES, np.zeros((1, 4, 3), np.float32), background)
    outside = rendering.mask == 0
    np.testing.assert_array_equal(rendering.picture[outside], background[outside])
    assert (rendering.picture[rendering.mask == 1] == 0).all()
    assert ((rendering.mask > 0) & (rendering.mask < 1)).any()


@pytest.mark.parametrize("textured", [False, True])
def test_torch_gives_the_same_picture_with_gradients(textured):
    generator = np.random.default_rng(1)
    vertices = (SQUARE + generator.normal(0, 0.1, (2, 4, 3))).astype(np.float32)
    colors = generator.random((2, 8, 8, 3) if textured else (2, 4, 3)).astype(np.float32)

    def render(vertices, colors):
        if textured:
            return RENDERER.render_texture(vertices, MESH, colors)
        return RENDERER.render_colors(vertices, TRIANGLES, colors)

    expected = render(vertices, colors)
    tensors = torch.from_numpy(vertices).requires_grad_(), torch.from_numpy(colors).requires_grad_()
    rendering = render(*tensors)
    np.testing.assert_allclose(rendering.picture.detach().numpy(), expected.picture, atol=1e-3)
    np.testing.assert_allclose(rendering.mask.detach().numpy(), expected.mask, atol=1e-3)
    (rendering.picture.sum() + rendering.mask.sum()).backward()
    for tensor in tensors:
        assert tensor.grad is not None and torch.isfinite(tensor.grad).all() and (tensor.grad != 0).any()


def test_mask_gradient_is_that_of_the_projected_area():
    """Twice nearer is twice larger: with scale s the area is (101.5 s)^2 pixels, its derivative at 1 is 2 * 101.5^2."""
    scale = torch.ones((), requires_grad=True)
    square = torch.from_numpy(SQUARE)[None]
    rendering = RENDERER.render_colors(square * scale, TRIANGLES, torch.ones(1, 4, 3))
    rendering.mask.sum().backward()
    assert scale.grad is not None
    np.testing.assert_allclose(scale.grad, 2 * 101.5**2, rtol=0.02)
