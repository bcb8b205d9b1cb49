"""The rasteriser for NVIDIA GPUs by nvdiffrast: a thin adapter to version 0.3.3 or later (Laine et al., 2020).

Not installed with deep3d: its licence allows research and evaluation only.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from deep3d.errors import RuntimeUnavailable
from deep3d.rendering.interface import Fragments

if TYPE_CHECKING:
    import torch

_REMEDY = "install nvdiffrast 0.3.3 or later on a machine with an NVIDIA GPU, or use CpuRasterizer"


class NvdiffrastRasterizer:
    """A `Rasterizer` for torch tensors on one CUDA device, with nvdiffrast's gradients.

    Raises: RuntimeUnavailable if nvdiffrast is not installed or there is no CUDA device.
    """

    def __init__(self, device: str = "cuda"):
        import torch

        try:
            self._library = importlib.import_module("nvdiffrast.torch")
        except ImportError as error:
            raise RuntimeUnavailable(f"nvdiffrast: cannot be imported ({error}); {_REMEDY}") from error
        if not torch.cuda.is_available():
            raise RuntimeUnavailable(f"nvdiffrast: torch sees no CUDA device; {_REMEDY}")
        self._context = self._library.RasterizeCudaContext(device)

    def rasterize(self, clip: torch.Tensor, triangles: torch.Tensor, size: tuple[int, int]) -> Fragments:
        """The triangle at each pixel; see `Rasterizer.rasterize`."""
        raster, _ = self._library.rasterize(self._context, clip.contiguous(), triangles.int(), size, grad_db=False)
        triangle = raster[..., 3].int() - 1
        return Fragments(triangle, raster[..., :2], raster[..., 2].masked_fill(triangle < 0, float("inf")))

    def interpolate(self, attributes: torch.Tensor, fragments: Fragments, triangles: torch.Tensor) -> torch.Tensor:
        """Attributes of vertices at each pixel; see `Rasterizer.interpolate`."""
        return self._library.interpolate(attributes.contiguous(), _raster(fragments), triangles.int())[0]

    def texture(self, image: torch.Tensor, uv: torch.Tensor) -> torch.Tensor:
        """Colours of an image at UVs; see `Rasterizer.texture`. nvdiffrast has row 0 at v = 0."""
        flipped = uv * uv.new_tensor([1, -1]) + uv.new_tensor([0, 1])
        return self._library.texture(image.contiguous(), flipped, filter_mode="linear", boundary_mode="clamp")


def _raster(fragments: Fragments) -> torch.Tensor:
    """nvdiffrast's tensor (B, H, W, 4) of fragments: weights, depth, triangle + 1."""
    import torch

    seen = fragments.triangle >= 0
    depth = fragments.depth.masked_fill(~seen, 0)
    return torch.cat([fragments.weights, depth[..., None], fragments.triangle[..., None] + 1], dim=-1).contiguous()
