"""Interfaces of loaded networks."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Runtime(Protocol):
    """A regressor loaded on this machine."""

    name: str
    precision: str  # of the trunk's arithmetic

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Vectors (B, 257 + 3 N) float32 of crops (B, 3, S, S) float32, RGB in [0, 1]; B is at least 1.

        The vectors are those of `network.RegressorNetwork`, and S is the checkpoint's `info.crop_size`.
        """
        ...


class Network(Protocol):
    """Another network of `graph.Graph`, loaded."""

    def __call__(self, *values: np.ndarray) -> list[np.ndarray]:
        """All outputs, in order, for all inputs, in order."""
        ...
