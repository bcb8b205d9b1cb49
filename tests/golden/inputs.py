"""Made-up input on which the reference was run, and on which the tests run the project."""

from __future__ import annotations

import zlib

import numpy as np

PHOTO_SIZES = ((640, 480), (301, 407), (120, 90))  # width, height


def coefficients() -> np.ndarray:
    """Four coefficient vectors (4, 257) float32."""
    draw = np.random.RandomState(257)
    parts = (
        0.5 * draw.standard_normal((4, 224)),
        draw.uniform(-0.6, 0.6, (4, 3)),
        0.2 * draw.standard_normal((4, 27)),
        0.1 * draw.standard_normal((4, 3)),
    )
    return np.concatenate(parts, axis=1).astype(np.float32)


def photo(width: int, height: int) -> np.ndarray:
    """A (height, width, 3) uint8 picture of noise."""
    return np.random.RandomState(width).randint(0, 256, (height, width, 3)).astype(np.uint8)


def five_points(width: int, height: int) -> np.ndarray:
    """Five points (5, 2) of a face that fills a third of the photo, photo pixels with y down."""
    face = np.array([[-0.3, -0.3], [0.3, -0.32], [0.02, 0.02], [-0.25, 0.35], [0.24, 0.33]])
    return (face * min(width, height) / 3 + [0.55 * width, 0.45 * height]).astype(np.float32)


def crops() -> np.ndarray:
    """Two crops (2, 224, 224, 3) uint8."""
    return np.random.RandomState(224).randint(0, 256, (2, 224, 224, 3)).astype(np.uint8)


def weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """A state dict of random numbers that keep signals alive, each tensor drawn by its own name."""
    return {name: _weight(name, shape) for name, shape in shapes.items()}


def _weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    noise = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape)
    if len(shape) == 4:
        gain = 2 if shape[2] > 1 else 1
        return (noise * np.sqrt(gain / np.prod(shape[1:]))).astype(np.float32)
    if name.endswith("running_var"):
        return (1 + 0.1 * abs(noise)).astype(np.float32)
    return (0.1 * noise + (1 if name.endswith("weight") else 0)).astype(np.float32)
