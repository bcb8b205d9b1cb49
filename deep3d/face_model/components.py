"""The components of a linear model in as few bytes as their precision allows: sums are bound by memory bandwidth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

from deep3d.arrays import Array, array_namespace

if TYPE_CHECKING:
    import torch

_BLOCK = 4096  # values of a sum that stay in the processor's first cache while all components are added


@dataclass(frozen=True, eq=False)
class Components:
    """K ways in which V vertices move or change colour, for a coefficient of 1 each."""

    values: Array  # (K, V * 3): float32, all numpy or all torch; int16 or int8, numpy alone
    scale: Array  # (K,) float32, factors from the values to the `basis`

    @classmethod
    def of(cls, basis: np.ndarray) -> Components:
        """The components of a basis (K, V * 3) float32."""
        return cls(basis, np.ones(len(basis), np.float32))

    @classmethod
    def rounded(cls, basis: np.ndarray) -> Components:
        """The components of a basis (K, V * 3) in 16 bits: errors are at most a 65,000th of each one's maximum."""
        values, scale = np.empty(basis.shape, np.int16), np.empty(len(basis), np.float32)
        for k, component in enumerate(basis):  # each fits in the processor's cache
            single = component.astype(np.float32)
            scale[k] = max(float(np.abs(single).max(initial=0)), 1e-30) / 32767
            values[k] = np.rint(single / scale[k])
        return cls(values, scale)

    def of_vertices(self, vertices: np.ndarray) -> Components:
        """The components of some vertices, by their numbers (P,)."""
        chosen = self.values.reshape(len(self), -1, 3)[:, vertices]
        return Components(chosen.reshape(len(self), -1), self.scale)

    def __len__(self) -> int:
        return len(self.scale)

    def __call__(self, weights: Array) -> Array:
        """The weighted sum (B, V, 3), by weights (B, K)."""
        scaled = weights * self.scale
        if self.values.dtype in (np.int8, np.int16):
            total = _summed(scaled.astype(np.float32), self.values)
        else:
            total = scaled @ self.values
        return array_namespace(total).reshape(total, (len(total), -1, 3))

    @property
    def basis(self) -> Array:
        """(K, V * 3) float32; computed at each call."""
        return self.values * self.scale[:, None]

    def to_torch(self, device: str | torch.device) -> Components:
        """The same as float32 tensors, for gradients."""
        import torch

        values = self.values if isinstance(self.values, torch.Tensor) else self.values.astype(np.float32)
        return Components(torch.as_tensor(values, device=device), torch.as_tensor(self.scale, device=device))


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _summed(weights, values):
    """Float32 (B, K) times small integers (K, N): numpy would expand the integers to two or four times the memory.

    Adds four components at a time, which reads and writes the sum a quarter as often.
    """
    faces, count = weights.shape
    size, by_fours = values.shape[1], count - count % 4
    total = np.zeros((faces, size), np.float32)
    for start in range(0, size, _BLOCK):
        block = slice(start, min(start + _BLOCK, size))
        for face in range(faces):
            part = total[face, block]
            for k in range(0, by_fours, 4):
                a, b, c, d = weights[face, k], weights[face, k + 1], weights[face, k + 2], weights[face, k + 3]
                one, two = values[k, block], values[k + 1, block]
                three, four = values[k + 2, block], values[k + 3, block]
                for n in range(len(part)):
                    first = a * np.float32(one[n]) + b * np.float32(two[n])
                    part[n] += first + c * np.float32(three[n]) + d * np.float32(four[n])
            for k in range(by_fours, count):
                weight, one = weights[face, k], values[k, block]
                for n in range(len(part)):
                    part[n] += weight * np.float32(one[n])
    return total
