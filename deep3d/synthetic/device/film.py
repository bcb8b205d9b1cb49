"""Camera effects on any device: what photography.py does, for many pictures at a time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from deep3d.synthetic.device.jpeg import compressed
from deep3d.synthetic.device.transfer import to_device
from deep3d.synthetic.film import BLUR, LUMA, PIVOT, REDUCE, SHARPEN, Film

GREY = np.array(LUMA, np.float32)[:, None, None]
BOX_SHARE = {"smooth": 9 / 13, "sharpen": -9 / 8}
"""The weight of the mean of 3 x 3 pixels in Pillow's filters."""


def develop(pictures: Tensor, film: Film, noise: Tensor) -> Tensor:
    """Photos (B, 3, H, W) in [0, 1] of rendered pictures (B, 3, H, W), with grain of noise fields (K, N, N)."""
    photos = _soften(_grade(pictures, film), film)
    return (photos + film.grain[:, None, None, None] * _grain(film, noise, photos.shape[-1])).clamp(0, 1)


def compress(photos: Tensor, quality: np.ndarray) -> Tensor:
    """Photos (B, 3, H, W) in [0, 1] after JPEG of these qualities (B,); 100 means no compression.

    The qualities are in main memory, so that the number of compressed photos is known here.
    """
    packed = np.flatnonzero(quality < 100)
    rows = to_device(packed, photos.device)
    chosen = to_device(quality[packed].astype(np.float32), photos.device)
    return photos.index_copy(0, rows, compressed(photos[rows], chosen))


def _grade(pictures: Tensor, film: Film) -> Tensor:
    """Exposure, gamma, saturation and contrast."""
    gamma, saturation, contrast, brightness = (
        value[:, None, None, None] for value in (film.gamma, film.saturation, film.contrast, film.brightness)
    )
    exposed = (pictures * film.gain[:, :, None, None]).clamp(min=0) ** gamma
    grey = (exposed * to_device(GREY, exposed.device)).sum(dim=1, keepdim=True)
    return ((grey + saturation * (exposed - grey) - PIVOT) * contrast + brightness).clamp(0, 1)


def _soften(photos: Tensor, film: Film) -> Tensor:
    """Blur, reduction and enlargement, or Pillow's filters: each is one matrix, applied to rows and columns."""
    size = photos.shape[-1]
    kind = film.softening[:, None, None]
    matrix = torch.where(kind == BLUR, _gaussian(film.blur, size), _box(size, photos.device))
    matrix = torch.where(kind == REDUCE, _reduction(film.reduction, size), matrix)[:, None]
    share = torch.where(film.softening == SHARPEN, BOX_SHARE["sharpen"], BOX_SHARE["smooth"])
    share = torch.where((film.softening == BLUR) | (film.softening == REDUCE), 1.0, share)[:, None, None, None]
    return (photos + share * (matrix @ photos @ matrix.mT - photos)).clamp(0, 1)


def _offsets(size: int, device: torch.device) -> Tensor:
    """(size, size) column less row."""
    place = torch.arange(size, device=device, dtype=torch.float32)
    return place - place[:, None]


def _gaussian(deviation: Tensor, size: int) -> Tensor:
    """(B, size, size) for standard deviations (B,) in pixels."""
    offsets = _offsets(size, deviation.device) / deviation.clamp(min=0.05)[:, None, None]
    return _rows_of_one(torch.exp(-0.5 * offsets**2))


def _box(size: int, device: torch.device) -> Tensor:
    """(size, size): means of three pixels."""
    return _rows_of_one((_offsets(size, device).abs() < 1.5).float())


def _reduction(share: Tensor, size: int) -> Tensor:
    """(B, size, size): to a share (B,) of the pixels, each a weighted mean of those around, and back, bilinear."""
    place = torch.arange(size, device=share.device) + 0.5
    small = (size * share).floor()[:, None, None]  # pixels
    there = (place < small).float()  # (B, 1, size): which of them the small picture has
    seen = place * (small / size)  # (B, 1, size): where in it each pixel lies
    down = _rows_of_one((1 - (seen - place[:, None]).abs()).clamp(min=0))
    nearest = torch.minimum(seen.clamp(min=0.5), small - 0.5).mT
    up = (1 - (nearest - place).abs()).clamp(min=0) * there
    return _rows_of_one(up) @ (down * there.mT)


def _rows_of_one(weights: Tensor) -> Tensor:
    return weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-12)


def _grain(film: Film, noise: Tensor, size: int) -> Tensor:
    """Noise (B, 3, size, size), each channel from its own place of a field."""
    period = noise.shape[-1]
    place = torch.arange(size, device=noise.device)
    row, column = ((place + film.grain_offset[:, :, k, None]) % period for k in range(2))  # (B, 3, size)
    first = film.grain_noise[:, None, None] * period + row
    return noise.flatten()[first[..., None] * period + column[:, :, None]]


def reduced(crops: Tensor, size: int) -> Tensor:
    """Crops (B, S, S, 3) uint8 as (B, size, size, 3); each pixel is the mean of what it covers of the larger ones."""
    old = crops.shape[1]
    if old == size:
        return crops
    step = old / size
    first, place = step * torch.arange(size, device=crops.device)[:, None], torch.arange(old, device=crops.device)
    covered = (torch.minimum(first + step, place + 1) - torch.maximum(first, place)).clamp(min=0)
    matrix = _rows_of_one(covered)
    pictures = matrix @ crops.movedim(3, 1).float() @ matrix.mT
    return (pictures + 0.5).to(torch.uint8).movedim(1, 3)
