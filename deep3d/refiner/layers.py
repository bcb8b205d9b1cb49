"""The arrays of the refiner network, for code that handles its weights without torch.

The network is a small U-Net on the chart, over three grids, each half as fine as the one before. On the way down there
are two residual blocks on each grid, on the way up one on each of the two finer ones. The batch norms of training are
folded into the convolutions.
"""

from __future__ import annotations

import numpy as np

from deep3d.coefficients import EXPRESSION, IDENTITY
from deep3d.refiner.chart import CHART_CHANNELS, CHART_SIZE

FINE, MIDDLE, COARSE = 48, 80, 128  # channels of the grids
FINE_KERNEL, FINE_STRIDE = 7, 4  # of the convolution that makes the finest grid of the chart
CELLS = CHART_SIZE // FINE_STRIDE  # a side of the finest grid
SHAPE = EXPRESSION.stop - IDENTITY.start  # coefficients of the shape that unwrapped the photo
EXPRESSION_GAIN = 4.0  # scales expression weights, most of them small, to the size of identities

DOWN, UP = ("0", "1"), ("up",)  # names of the residual blocks


def array_shapes(landmarks: int) -> dict[str, tuple[int, ...]]:
    """Every array of a network for so many landmarks, by its name."""
    convolutions = [
        ("fine.enter", CHART_CHANNELS, FINE, FINE_KERNEL),
        *_blocks("fine", FINE, DOWN),
        ("middle.enter", FINE, MIDDLE, 3),
        *_blocks("middle", MIDDLE, DOWN),
        ("coarse.enter", MIDDLE, COARSE, 3),
        *_blocks("coarse", COARSE, DOWN),
        ("middle.from_coarse", COARSE, MIDDLE, 1),
        *_blocks("middle", MIDDLE, UP),
        ("fine.from_middle", MIDDLE, FINE, 1),
        *_blocks("fine", FINE, UP),
    ]
    dense = [("shape", SHAPE, COARSE), ("context", COARSE, COARSE)]
    shapes: dict[str, tuple[int, ...]] = {}
    for name, inputs, outputs, kernel in convolutions:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs, kernel, kernel), (outputs,)
    for name, inputs, outputs in dense:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs), (outputs,)
    return shapes | {"landmarks.weight": (landmarks, FINE, 3), "landmarks.bias": (landmarks, 3)}


def landmark_cells(places: np.ndarray) -> np.ndarray:
    """The cells (N,) of the finest grid, row by row, of places (N, 2) on the chart."""
    column, row = np.clip(np.floor((places + 0.5) / FINE_STRIDE), 0, CELLS - 1).astype(np.int64).T
    return row * CELLS + column


def _blocks(grid: str, width: int, names: tuple[str, ...]) -> list[tuple[str, int, int, int]]:
    return [(f"{grid}.{name}.{part}", width, width, 3) for name in names for part in ("first", "second")]
