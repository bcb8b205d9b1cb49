"""The arrays of the dense network, for code that handles its weights without torch.

A slim Attention U-Net (Oktay et al., 2018) over three grids, each half as fine as the one before. On the way down, each
grid gets the features of the regressor's trunk, and residual blocks; on the way up, the finer grid passes a
gate that the coarser one opens, and a convolution joins both. Each cell of the finest grid is four by four pixels of
the maps, which its last convolution gives all at once. A grid of twice as many cells corrects the scores of the
classes, which have sharp borders. The batch norms of training are folded into the convolutions.
"""

from __future__ import annotations

import itertools

from deep3d.dense.maps import SURFACE

INPUTS = 3 + 1 + SURFACE  # red, green, blue; where the mesh is; its height, normal and place on the mean shape
GREY = 0.45  # of the photo's range, on average
CLASSES = ("background", "skin", "hair", "glasses", "occluder", "beard", "brows", "hat", "clothes")
CONFIDENCES = 3  # logarithms of deviations: of height, normal and place
OUTPUTS = SURFACE + CONFIDENCES + len(CLASSES)
CELL = 4  # pixels a side of a cell of the finest grid
DETAIL, DETAIL_CELL = 24, 2  # channels of the grid that draws borders of classes, and pixels a side of its cells

GRIDS = (48, 96, 160)  # channels, from the finest to the coarsest
TRUNK_NAME = "resnet50"  # of the regressor
TRUNK = (256, 512, 1024)  # its channels on the same grids
ENTER_KERNEL = 7  # of the convolution that makes the finest grid
DOWN = (("0",), ("0",), ("0", "1"))
"""Names of the residual blocks on the way down, for each grid."""

UNITS = (0.05, 0.3, 0.3, 0.3, 0.05, 0.05, 0.05)
"""What 1 of the last convolution adds to the height (decimetres), the normal and the place of the mesh."""


def array_shapes() -> dict[str, tuple[int, ...]]:
    """Every array of the network, by its name."""
    convolutions = [("0.enter", INPUTS, GRIDS[0], ENTER_KERNEL)]
    for level, width in enumerate(GRIDS):
        if level:
            convolutions.append((f"{level}.enter", GRIDS[level - 1], width, 3))
        convolutions.append((f"{level}.trunk", TRUNK[level], width, 1))
        for block in DOWN[level]:
            convolutions += [(f"{level}.{block}.{part}", width, width, 3) for part in ("first", "second")]
    for level, (width, coarser) in enumerate(itertools.pairwise(GRIDS)):
        convolutions += [
            (f"{level}.coarser", coarser, width, 1),
            (f"{level}.gate_fine", width, width // 2, 1),
            (f"{level}.gate_coarse", coarser, width // 2, 1),
            (f"{level}.gate", width // 2, 1, 1),
            (f"{level}.join", 2 * width, width, 3),
        ]
    convolutions += [
        ("maps", GRIDS[0], OUTPUTS * CELL * CELL, 1),
        ("detail.enter", INPUTS, DETAIL, 3),
        ("detail.coarser", GRIDS[0], DETAIL, 1),
        ("detail.0.first", DETAIL, DETAIL, 3),
        ("detail.0.second", DETAIL, DETAIL, 3),
        ("detail.classes", DETAIL, len(CLASSES) * DETAIL_CELL * DETAIL_CELL, 1),
    ]
    shapes: dict[str, tuple[int, ...]] = {}
    for name, inputs, outputs, kernel in convolutions:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs, kernel, kernel), (outputs,)
    return shapes
