from __future__ import annotations

import numpy as np
import torch
from torch.autograd import gradcheck

from deep3d.rendering.antialias import antialias
from deep3d.rendering.cpu import CpuRasterizer

RASTERIZER = CpuRasterizer()
SIZE = (6, 7)


def scene() -> tuple[torch.Tensor, torch.Tensor]:
    """Two float64 pictures of two overlapping triangles with corners at different distances."""
    corners = torch.tensor(
        [[-0.9, -0.8, 0.1, 1.0], [0.95, -0.7, 0.2, 1.5], [0.1, 0.9, 0.3, 2.0], [-0.8, 0.7, 0.5, 0.7]],
        dtype=torch.float64,
    )
    corners = torch.cat([corners[:, :3] * corners[:, 3:], corners[:, 3:]], dim=1)
    other = corners * torch.tensor([-0.9, 0.8, 1, 1], dtype=torch.float64)
    return torch.stack([corners, other]), torch.tensor([[0, 1, 2], [3, 1, 2]], dtype=torch.int32)


def test_weights_have_the_gradient_to_clip_coordinates():
    clip, triangles = scene()
    assert (RASTERIZER.rasterize(clip, triangles, SIZE).triangle == 1).any()
    assert gradcheck(lambda c: RASTERIZER.rasterize(c, triangles, SIZE).weights, clip.requires_grad_())


def test_interpolate_has_gradients_to_attributes_and_clip_coordinates():
    clip, triangles = scene()
    attributes = torch.rand(2, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def interpolated(attributes, clip):
        return RASTERIZER.interpolate(attributes, RASTERIZER.rasterize(clip, triangles, SIZE), triangles)

    assert gradcheck(interpolated, (attributes.requires_grad_(), clip.requires_grad_()))


def test_texture_has_gradients_to_image_and_uv():
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(2, 5, 4, 3, dtype=torch.float64, generator=generator)
    uv = torch.rand(2, 3, 3, 2, dtype=torch.float64, generator=generator) * 0.7 + 0.15
    assert gradcheck(RASTERIZER.texture, (image.requires_grad_(), uv.requires_grad_()))


def test_antialias_has_gradients_to_picture_and_clip_coordinates():
    clip, triangles = scene()
    picture = torch.rand(2, *SIZE, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))

    def antialiased(picture, clip):
        return antialias(picture, RASTERIZER.rasterize(clip, triangles, SIZE), clip, triangles)

    clip.requires_grad_()
    antialiased(picture, clip).square().sum().backward()
    assert clip.grad is not None and (clip.grad[..., [0, 1, 3]] != 0).any()
    assert gradcheck(antialiased, (picture.requires_grad_(), clip))


def test_a_blurred_edge_can_be_fitted_by_its_gradient():
    """Given the mask of a square, the gradient of antialiasing alone moves a shifted square back to it."""
    square = torch.tensor([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    triangles = torch.tensor([[0, 1, 2], [0, 2, 3]], dtype=torch.int32)

    def mask(shift: torch.Tensor) -> torch.Tensor:
        clip = torch.cat([square + shift, torch.tensor([0.0, 1.0]).expand(4, 2)], dim=1)[None]
        fragments = RASTERIZER.rasterize(clip, triangles, (32, 32))
        covered = (fragments.triangle >= 0).float()[..., None]
        return antialias(covered, fragments, clip, triangles)

    target = mask(torch.tensor([0.013, -0.027]))
    shift = torch.tensor([0.2, 0.15], requires_grad=True)
    optimizer = torch.optim.Adam([shift], lr=0.01)
    for _ in range(120):
        optimizer.zero_grad()
        (mask(shift) - target).square().sum().backward()
        optimizer.step()
    np.testing.assert_allclose(shift.detach().numpy(), [0.013, -0.027], atol=2e-3)
