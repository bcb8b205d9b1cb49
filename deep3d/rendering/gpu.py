"""The rasteriser for a GPU."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from deep3d.rendering.interface import Rasterizer
from deep3d.rendering.nvdiffrast import NvdiffrastRasterizer


def gpu_rasterizer(device: torch.device) -> Rasterizer | None:
    """nvdiffrast's rasteriser if it is installed, otherwise our Triton one; None if the device has none.

    Raises: RuntimeUnavailable if nvdiffrast is installed but broken.
    """
    if device.type != "cuda":
        return None
    if find_spec("nvdiffrast") is not None:
        return NvdiffrastRasterizer(str(device))
    if find_spec("triton") is None:  # comes with torch, but only on Linux
        return None
    from deep3d.rendering.triton import TritonRasterizer

    return TritonRasterizer()
