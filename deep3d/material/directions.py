"""Directions over the sphere, and real spherical harmonics up to order 4 (Ramamoorthi and Hanrahan, 2001)."""

from __future__ import annotations

import math

import numpy as np

ORDER = 4
FUNCTIONS = (ORDER + 1) ** 2


def even_directions(count: int) -> np.ndarray:
    """Unit vectors (count, 3) spread evenly over the sphere: a Fibonacci lattice (Swinbank and Purser, 2006)."""
    number = np.arange(count) + 0.5
    height = 1 - 2 * number / count
    angle = np.pi * (1 + math.sqrt(5)) * number
    across = np.sqrt(1 - height**2)
    return np.stack([across * np.cos(angle), height, across * np.sin(angle)], axis=1).astype(np.float32)


def real_harmonics(directions: np.ndarray) -> np.ndarray:
    """The 25 orthonormal real functions (N, 25) of unit directions (N, 3), by band l and then m from -l to l.

    The polar axis is z, the associated Legendre functions come by their recurrences.
    """
    x, y, z = directions.astype(np.float64).T
    legendre = _legendre(z)
    phase = [np.ones_like(x) + 0j]  # (x + iy)^m: the sine of the polar angle is in it
    for _ in range(ORDER):
        phase.append(phase[-1] * (x + 1j * y))
    columns = []
    for band in range(ORDER + 1):
        for m in range(-band, band + 1):
            k = abs(m)
            norm = math.sqrt((2 * band + 1) / (4 * math.pi) * math.factorial(band - k) / math.factorial(band + k))
            part = phase[k].real if m >= 0 else phase[k].imag
            columns.append((1 if m == 0 else math.sqrt(2)) * norm * legendre[band, k] * part)
    return np.stack(columns, axis=1).astype(np.float32)


def band_of_functions() -> np.ndarray:
    """(25,) the band of each function."""
    return np.repeat(np.arange(ORDER + 1), 2 * np.arange(ORDER + 1) + 1)


def _legendre(z: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    """P(l, m) of z, without the factor sin^m and without the sign of Condon and Shortley."""
    values = {}
    for m in range(ORDER + 1):
        values[m, m] = np.full_like(z, math.prod(range(1, 2 * m, 2)))
        if m < ORDER:
            values[m + 1, m] = (2 * m + 1) * z * values[m, m]
        for band in range(m + 2, ORDER + 1):
            before = (2 * band - 1) * z * values[band - 1, m] - (band + m - 1) * values[band - 2, m]
            values[band, m] = before / (band - m)
    return values
