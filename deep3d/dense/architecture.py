"""What tells one dense network from another: its kind and dimensions, as its file states them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from deep3d.dense.maps import MAP_SIZES

TRUNK_NAME = "resnet50"  # of the regressor
TRUNK = {28: 256, 14: 512, 7: 1024}
"""Channels of its grids of features, by their cells a side: it sees the crop at `MAP_SIZE` pixels."""
MOST_GRIDS, MOST_CHANNELS = 6, 4096
DPT_COARSEST = 32  # pixels of the maps a side of a cell of its coarsest grid


@dataclass(frozen=True)
class UNet:
    """An Attention U-Net (Oktay et al., 2018) that stands on the regressor's trunk.

    Raises: ValueError if there is no such network.
    """

    map_size: int  # pixels a side of its maps
    cell: int  # of these, a side of a cell of the finest grid
    grids: tuple[int, ...]  # channels, from the finest to the coarsest, each half as fine as the one before
    blocks: tuple[int, ...]  # residual blocks on the way down, for each grid
    detail: int  # channels of the grid of twice as many cells, which draws the borders of classes

    def __post_init__(self) -> None:
        numbers = (*self.grids, *self.blocks, self.detail)
        if (
            self.map_size not in MAP_SIZES
            or not 2 <= len(self.grids) == len(self.blocks) <= MOST_GRIDS
            or not all(isinstance(number, int) and 0 < number <= MOST_CHANNELS for number in numbers)
            or self.cell not in (2, 4)
            or self.map_size % (self.cell << (len(self.grids) - 1))
        ):
            raise ValueError(f"there is no U-Net with {self.grids} channels and maps of {self.map_size} pixels")

    def cells(self, level: int) -> int:
        """Cells a side of a grid, 0 for the finest."""
        return self.map_size // (self.cell << level)

    @property
    def stages(self) -> list[int | None]:
        """Which stage of the trunk each grid gets, from 0; None where the trunk has no such grid."""
        sizes = list(TRUNK)
        cells = [self.cells(level) for level in range(len(self.grids))]
        return [sizes.index(size) if size in TRUNK else None for size in cells]


@dataclass(frozen=True)
class Dpt:
    """A dense prediction transformer (Ranftl et al., 2021): a head over four layers of a vision transformer of timm.

    Raises: ValueError if there is no such network.
    """

    map_size: int  # pixels a side of its maps
    backbone: str  # timm's name
    width: int  # channels of the head

    def __post_init__(self) -> None:
        if (
            self.map_size not in MAP_SIZES
            or self.map_size % DPT_COARSEST
            or not isinstance(self.backbone, str)
            or not (isinstance(self.width, int) and 2 <= self.width <= MOST_CHANNELS)
        ):
            raise ValueError(f"there is no DPT with {self.width} channels and maps of {self.map_size} pixels")


Architecture = UNet | Dpt
SLIM = UNet(map_size=112, cell=4, grids=(48, 96, 160), blocks=(1, 1, 2), detail=24)
"""The shipped one, and that of files which state none."""
FULL = UNet(map_size=224, cell=2, grids=(32, 64, 128, 256, 512), blocks=(1, 1, 2, 2, 2), detail=16)
DPT_SIZE, DPT_WIDTH = 224, 128  # pixels a side, and channels
_KINDS = {"unet": UNet, "dpt": Dpt}


def to_metadata(architecture: Architecture) -> str:
    """One line of JSON."""
    kind = next(name for name, each in _KINDS.items() if isinstance(architecture, each))
    return json.dumps({"kind": kind} | asdict(architecture))


def from_metadata(text: str) -> Architecture:
    """The architecture that `to_metadata` wrote down.

    Raises: ValueError if it is another text, or there is no such network.
    """
    try:
        values = json.loads(text)
        kind = _KINDS[values.pop("kind")]
        return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"unknown architecture {text[:80]!r}") from error
