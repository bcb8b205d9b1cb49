from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from torch.nn.functional import max_pool2d

from deep3d.camera import place
from deep3d.errors import RuntimeUnavailable
from deep3d.face_model import default_face_model
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.interface import Fragments
from deep3d.rendering.nvdiffrast import NvdiffrastRasterizer
from deep3d.rendering.renderer import Renderer


class FakeNvdiffrast(ModuleType):
    """nvdiffrast's functions in its own conventions, computed by CpuRasterizer: row 0 at y = -1 and at v = 0."""

    def __init__(self):
        super().__init__("nvdiffrast.torch")
        self.cpu = CpuRasterizer()

    def RasterizeCudaContext(self, device):  # noqa: N802
        return device

    def rasterize(self, context, clip, triangles, size, grad_db):
        fragments = self.cpu.rasterize(clip, triangles, size)
        seen = fragments.triangle >= 0
        depth = torch.where(seen, fragments.depth, 0)
        return torch.cat([fragments.weights, depth[..., None], fragments.triangle[..., None] + 1], dim=-1), None

    def interpolate(self, attributes, raster, triangles):
        return self.cpu.interpolate(attributes, self.fragments(raster), triangles), None

    def texture(self, image, uv, filter_mode, boundary_mode):
        assert (filter_mode, boundary_mode) == ("linear", "clamp")
        return self.cpu.texture(image.flip(1), uv)

    def fragments(self, raster):
        triangle = raster[..., 3].int() - 1
        return Fragments(triangle, raster[..., :2], raster[..., 2].masked_fill(triangle < 0, float("inf")))


@pytest.fixture
def rasterizer(monkeypatch) -> NvdiffrastRasterizer:
    package, library = ModuleType("nvdiffrast"), FakeNvdiffrast()
    monkeypatch.setitem(sys.modules, "nvdiffrast", package)
    monkeypatch.setitem(sys.modules, "nvdiffrast.torch", library)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    return NvdiffrastRasterizer()


def test_adapter_translates_both_ways(rasterizer):
    cpu = CpuRasterizer()
    generator = torch.Generator().manual_seed(0)
    clip = torch.cat([torch.rand(2, 6, 2, generator=generator) * 2 - 1, torch.tensor([0.2, 1]).expand(2, 6, 2)], dim=2)
    triangles = torch.tensor([[0, 1, 2], [3, 4, 5]])  # int64, which nvdiffrast itself refuses
    expected, fragments = (backend.rasterize(clip, triangles, (16, 24)) for backend in (cpu, rasterizer))
    np.testing.assert_array_equal(fragments.triangle, expected.triangle)
    np.testing.assert_array_equal(fragments.depth, expected.depth)
    np.testing.assert_array_equal(fragments.weights, expected.weights)

    uv = torch.rand(2, 6, 2, generator=generator)
    image = torch.rand(2, 4, 5, 3, generator=generator)
    expected_uv, places = (backend.interpolate(uv, expected, triangles) for backend in (cpu, rasterizer))
    expected_picture, picture = (backend.texture(image, places) for backend in (cpu, rasterizer))
    np.testing.assert_array_equal(places, expected_uv)
    np.testing.assert_allclose(picture, expected_picture, atol=1e-5)


def assert_agrees_on_a_head(rasterizer: NvdiffrastRasterizer, device: str) -> None:
    """The same coverage but for pixels at edges, the same surface inside, and nearly the same gradient of a shift."""
    model = default_face_model().to_torch()
    vertices = place(model.mean_shape[None], torch.tensor([[0.1, 0.5, -0.1]]), torch.zeros(1, 3))
    drawn = []
    for backend, place_of in ((CpuRasterizer(), "cpu"), (rasterizer, device)):
        corners, triangles = vertices.to(place_of), model.triangles.to(place_of)
        shift = torch.zeros(3, device=place_of, requires_grad=True)
        drawing = Renderer(backend).render_colors(corners + shift, triangles, corners)
        (pull,) = torch.autograd.grad(drawing.picture.square().sum(), shift)
        surface = backend.interpolate(corners, drawing.fragments, triangles)
        drawn.append([part.cpu() for part in (drawing.fragments.triangle, surface, pull)])
    (expected, points, pull), (found, found_points, found_pull) = drawn
    covered = (expected >= 0).float()[None]
    edge = (max_pool2d(covered, 3, 1, 1) != -max_pool2d(-covered, 3, 1, 1))[0]
    assert 0.2 < covered.mean() < 0.8 and edge.float().mean() < 0.05
    assert ((found >= 0) == (expected >= 0))[~edge].all()
    inside = (found == expected) & (expected >= 0)
    assert inside.sum() > 0.97 * covered.sum()
    torch.testing.assert_close(found_points[inside], points[inside], rtol=0, atol=1e-3)
    assert (found_pull - pull).norm() < 0.05 * pull.norm()


def test_a_head_looks_the_same(rasterizer):
    assert_agrees_on_a_head(rasterizer, "cpu")


def test_a_head_looks_the_same_to_nvdiffrast_itself():
    pytest.importorskip("nvdiffrast.torch", reason="nvdiffrast is not installed")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    assert_agrees_on_a_head(NvdiffrastRasterizer(), "cuda")


def test_missing_package_gives_one_line_with_a_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "nvdiffrast.torch", None)
    with pytest.raises(RuntimeUnavailable, match=r"nvdiffrast: cannot be imported .*; install nvdiffrast") as caught:
        NvdiffrastRasterizer()
    assert "\n" not in str(caught.value)


def test_missing_device_gives_one_line_with_a_remedy(rasterizer, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeUnavailable, match=r"torch sees no CUDA device; .* CpuRasterizer"):
        NvdiffrastRasterizer()
