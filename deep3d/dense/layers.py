"""The arrays of the dense network, for code that handles its weights without torch.

An Attention U-Net (Oktay et al., 2018) over some grids, each half as fine as the one before. On the way down, each
grid gets the features of the regressor's trunk, if that has such a grid, and residual blocks; on the way up, the finer
grid passes a gate that the coarser one opens, and a convolution joins both. Each cell of the finest grid is several
pixels of the maps, which its last convolution gives all at once. A grid of twice as many cells corrects the scores of
the classes, which have sharp borders. The batch norms of training are folded into the convolutions.
"""

from __future__ import annotations

import itertools

from deep3d.dense.architecture import TRUNK, UNet
from deep3d.dense.maps import SURFACE

INPUTS = 3 + 1 + SURFACE  # red, green, blue; where the mesh is; its height, normal and place on the mean shape
GREY = 0.45  # of the photo's range, on average
CLASSES = ("background", "skin", "hair", "glasses", "occluder", "beard", "brows", "hat", "clothes")
CONFIDENCES = 3  # logarithms of deviations: of height, normal and place
OUTPUTS = SURFACE + CONFIDENCES + len(CLASSES)
ENTER_KERNEL = 7  # of the convolution that makes the finest grid

UNITS = (0.05, 0.3, 0.3, 0.3, 0.05, 0.05, 0.05)
"""What 1 of the last convolution adds to the height (decimetres), the normal and the place of the mesh."""


def array_shapes(network: UNet) -> dict[str, tuple[int, ...]]:
    """Every array of the network, by its name."""
    grids = network.grids
    convolutions = [("0.enter", INPUTS, grids[0], ENTER_KERNEL)]
    for level, (width, blocks) in enumerate(zip(grids, network.blocks, strict=True)):
        if level:
            convolutions.append((f"{level}.enter", grids[level - 1], width, 3))
        if network.stages[level] is not None:
            convolutions.append((f"{level}.trunk", TRUNK[network.cells(level)], width, 1))
        for block in range(blocks):
            convolutions += [(f"{level}.{block}.{part}", width, width, 3) for part in ("first", "second")]
    for level, (width, coarser) in enumerate(itertools.pairwise(grids)):
        convolutions += [
            (f"{level}.coarser", coarser, width, 1),
            (f"{level}.gate_fine", width, width // 2, 1),
            (f"{level}.gate_coarse", coarser, width // 2, 1),
            (f"{level}.gate", width // 2, 1, 1),
            (f"{level}.join", 2 * width, width, 3),
        ]
    detail = network.detail
    convolutions += [
        ("maps", grids[0], OUTPUTS * network.cell**2, 1),
        ("detail.enter", INPUTS, detail, 3),
        ("detail.coarser", grids[0], detail, 1),
        ("detail.0.first", detail, detail, 3),
        ("detail.0.second", detail, detail, 3),
        ("detail.classes", detail, len(CLASSES) * (network.cell // 2) ** 2, 1),
    ]
    shapes: dict[str, tuple[int, ...]] = {}
    for name, inputs, outputs, kernel in convolutions:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs, kernel, kernel), (outputs,)
    return shapes
