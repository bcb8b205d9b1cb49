"""Synthetic heads rendered on the training device, on demand."""

from __future__ import annotations

import numpy as np
import torch

from deep3d.coefficients import COEFFICIENT_COUNT
from deep3d.synthetic.device.film import reduced
from deep3d.synthetic.device.heads import DeviceHeadGenerator
from deep3d.synthetic.device.transfer import to_device
from deep3d.synthetic.heads import Heads
from deep3d.training.config import Stage, TrainingConfig
from deep3d.training.ring import Ring

CHUNK = 512  # heads drawn at a time; they take some 5 GB meanwhile


class DeviceHeadStream:
    """A `HeadSource` with a ring of heads on the device, which renders new ones before a batch when due."""

    def __init__(
        self, generator: DeviceHeadGenerator, config: TrainingConfig, stage: Stage, seed: int, chunk: int = CHUNK
    ) -> None:
        size, dense, device = stage.crop_size, generator.dense_landmarks, generator.device
        self._generator = generator
        self._ring = ring = Ring.of(config, stage, dense, chunk, unsafe=0)
        self._rng = np.random.default_rng(seed)
        self._heads = Heads(
            torch.empty((ring.capacity, size, size, 3), dtype=torch.uint8, device=device),
            torch.empty((ring.capacity, COEFFICIENT_COUNT), device=device),
            torch.empty((ring.capacity, dense, 2), device=device),
        )
        self._made = self._used = 0

    def __enter__(self) -> DeviceHeadStream:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def batch(self, count: int) -> Heads:
        """Heads on the device with crops (count, S, S, 3)."""
        self._used += count
        while self._made < self._ring.wanted(self._used):
            self._draw()
        rows = to_device(self._ring.rows(self._rng, self._made, count), self._generator.device)
        heads = self._heads
        return Heads(heads.crops[rows], heads.vectors[rows], heads.points[rows])

    def _draw(self) -> None:
        drawn, kept, start = self._generator.draw(self._ring.chunk), self._heads, self._made % self._ring.capacity
        rows = slice(start, start + self._ring.chunk)
        kept.crops[rows] = reduced(drawn.crops, kept.crops.shape[1])
        kept.vectors[rows], kept.points[rows] = drawn.vectors, drawn.points
        self._made += self._ring.chunk
