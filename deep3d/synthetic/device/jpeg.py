"""JPEG compression (ITU-T T.81) on any device, without a file: rounded cosines of 8 x 8 pixels."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from deep3d.synthetic.device.transfer import to_device

LUMA = """
16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99
"""
CHROMA = """
17 18 24 47 99 99 99 99  18 21 26 66 99 99 99 99  24 26 56 99 99 99 99 99  47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99
"""
"""Steps that the 64 cosines are rounded to at quality 50 (annex K), of brightness and of colour."""
SIDE = 8  # pixels of a block
STEPS = np.array([table.split() for table in (LUMA, CHROMA)]).astype(np.float32).reshape(2, SIDE, SIDE)
TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)


def compressed(photos: Tensor, quality: Tensor) -> Tensor:
    """Photos (B, 3, H, W) in [0, 1] after compression with these qualities (B,).

    Colour is kept at half the size. H and W are multiples of 16.
    """
    to_ycc = to_device(TO_YCC, photos.device)
    ycc = torch.einsum("kc,bchw->bkhw", to_ycc, 255 * photos)
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)[:, None, None]
    luma, chroma = (((table * scale + 50) / 100).floor().clamp(1, 255) for table in to_device(STEPS, photos.device))
    brightness = _rounded(ycc[:, :1] - 128, luma) + 128
    colour = _rounded(functional.avg_pool2d(ycc[:, 1:], 2), chroma)
    colour = functional.interpolate(colour, scale_factor=2, mode="bilinear", align_corners=False)
    ycc = torch.cat([brightness, colour], dim=1)
    return (torch.einsum("ck,bkhw->bchw", torch.linalg.inv_ex(to_ycc).inverse, ycc) / 255).clamp(0, 1)


def _rounded(channels: Tensor, steps: Tensor) -> Tensor:
    """Channels (B, C, H, W) with the cosines of each block rounded to multiples of the steps (B, 8, 8)."""
    place = torch.arange(SIDE, device=channels.device)
    cosines = 0.5 * torch.cos(math.pi / SIDE * place[:, None] * (place + 0.5))
    cosines[0] = SIDE**-0.5
    blocks = channels.unflatten(3, (-1, SIDE)).unflatten(2, (-1, SIDE))  # (B, C, H / 8, 8, W / 8, 8)
    steps = steps[:, None, None, :, None]
    found = torch.einsum("ui,bcyixj,vj->bcyuxv", cosines, blocks, cosines)
    kept = torch.round(found / steps) * steps
    return torch.einsum("ui,bcyuxv,vj->bcyixj", cosines, kept, cosines).flatten(4).flatten(2, 3)
