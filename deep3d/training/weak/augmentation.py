"""Random crops on the device with kornia (Riba et al., 2020): placed, mirrored, coloured, blurred."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from kornia.augmentation import (
    AugmentationSequential,
    ColorJiggle,
    RandomBoxBlur,
    RandomGaussianNoise,
    RandomGrayscale,
)
from kornia.geometry.transform import warp_affine
from torch import Tensor
from torch.nn import functional

from deep3d.camera import CROP_SIZE
from deep3d.landmarks import MIRROR
from deep3d.training.weak.config import Augmentation
from deep3d.training.weak.wide_crops import MARGIN, WideCrops


@dataclass(frozen=True)
class FaceCrops:
    """B crops with labels."""

    seen: Tensor  # (B, 3, 224, 224) RGB in [0, 1], input of the network
    images: Tensor  # (B, 3, 224, 224) RGB in [0, 1], target of the rendering
    attention: Tensor  # (B, 224, 224) in [0, 1]: skin
    landmarks: Tensor  # (B, 68, 2) crop pixels


class Augmenter:
    """Cuts crops out of wide ones, at offsets from the aligned place within the configured limits.

    Changes of light and colour apply to input and target, since the network can predict them. Blur and noise apply
    only to the input.
    """

    def __init__(self, amount: Augmentation) -> None:
        self._amount = amount
        self._colour = AugmentationSequential(
            ColorJiggle(brightness=0.2, contrast=0.15, saturation=0.2, hue=0.01, p=0.7), RandomGrayscale(p=0.05)
        )
        self._spoil = AugmentationSequential(
            RandomBoxBlur(kernel_size=(5, 5), p=0.2), RandomGaussianNoise(std=0.02, p=0.3)
        )

    def __call__(self, wide: WideCrops) -> FaceCrops:
        """Random crops of B faces."""
        mirrored = torch.rand(len(wide.images), device=wide.images.device) < 0.5
        place = self._places(mirrored)
        images = _cut(wide.images, place)
        images = self._colour(images)
        attention = _cut(wide.attention, place)[:, 0]
        order = torch.tensor(MIRROR, device=mirrored.device)
        landmarks = torch.where(mirrored[:, None, None], wide.landmarks[:, order], wide.landmarks)
        landmarks = landmarks @ place[:, :, :2].mT + place[:, None, :, 2]
        return FaceCrops(self._spoil(images).clamp(0, 1), images, attention, landmarks)

    def _places(self, mirrored: Tensor) -> Tensor:
        """Affine maps (B, 2, 3) from wide crop pixels to crop pixels."""
        count, device, amount = len(mirrored), mirrored.device, self._amount
        turn = torch.deg2rad(_either_way(count, amount.turn, device))
        scale = 1 + _either_way(count, amount.scale, device)
        cos, sin = scale * turn.cos(), scale * turn.sin()
        side = torch.where(mirrored, -1.0, 1.0)
        linear = torch.stack([torch.stack([side * cos, -sin], dim=-1), torch.stack([side * sin, cos], dim=-1)], dim=-2)
        middle = torch.full((2,), (CROP_SIZE - 1) / 2, device=device)
        shift = torch.stack([_either_way(count, amount.shift, device) for _ in range(2)], dim=-1)
        return torch.cat([linear, (middle + shift - linear @ (middle + MARGIN))[..., None]], dim=-1)


def plain_crops(wide: WideCrops) -> FaceCrops:
    """The aligned crops, without changes."""
    middle = slice(MARGIN, MARGIN + CROP_SIZE)
    images = wide.images[:, :, middle, middle].float() / 255
    attention = wide.attention[:, 0, middle, middle].float() / 255
    return FaceCrops(images, images, attention, wide.landmarks - MARGIN)


def regressor_input(crops: FaceCrops, size: int) -> Tensor:
    """(B, 3, size, size) in [0, 1], channels last in memory; smaller pixels are averages."""
    return functional.avg_pool2d(crops.seen, CROP_SIZE // size).contiguous(memory_format=torch.channels_last)


def _cut(pictures: Tensor, place: Tensor) -> Tensor:
    """(B, C, 224, 224) in [0, 1] of pictures (B, C, 320, 320) uint8 and maps (B, 2, 3)."""
    return warp_affine(pictures.float() / 255, place, (CROP_SIZE, CROP_SIZE), mode="bilinear", align_corners=True)


def _either_way(count: int, most: float, device: torch.device) -> Tensor:
    """(B,) evenly from -most to most."""
    return most * (2 * torch.rand(count, device=device) - 1)
