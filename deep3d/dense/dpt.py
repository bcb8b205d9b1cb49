"""A dense prediction transformer in torch (Ranftl et al., Vision transformers for dense prediction, 2021).

A vision transformer of timm sees the crop. Features of four of its layers become grids of four sizes, and are fused
from the coarsest to the finest by residual convolutions (RefineNet; Lin et al., 2017). Grids are resampled where the
paper has transposed convolutions, which fits transformers with patches of any size. The mesh joins at the end: the
results are changes of it, as those of the U-Net.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from deep3d.dense.architecture import Dpt
from deep3d.dense.layers import CONFIDENCES, GREY, INPUTS, OUTPUTS, UNITS
from deep3d.dense.maps import SURFACE
from deep3d.errors import ExtraMissing
from deep3d.runtime.cores import usable_cores

STRIDES = (4, 8, 16, 32)  # pixels of the maps a side of a cell of each grid
BEFORE_MAPS = 32  # channels of the last layer but one, as in the paper


class Backbone(nn.Module):
    """A vision transformer of timm without its classifier, and its features at four depths."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str) -> None:
        """Random weights: nothing is ever downloaded.

        Raises: ExtraMissing without timm, ValueError if that has no vision transformer of that name.
        """
        try:
            import timm  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise ExtraMissing(f"a DPT needs timm ({error}); pip install 'deep3d[torch,dpt]'") from error
        super().__init__()
        if not timm.is_model(name):
            raise ValueError(f"timm {timm.__version__} has no network {name!r}")
        self.network: Any = timm.create_model(name, pretrained=False, num_classes=0)
        if not (hasattr(self.network, "blocks") and hasattr(self.network, "forward_intermediates")):
            raise ValueError(f"{name!r} is no vision transformer of timm")
        depth = len(self.network.blocks)
        self.layers = [depth * number // len(STRIDES) - 1 for number in range(1, len(STRIDES) + 1)]
        self.size: tuple[int, int] = self.network.patch_embed.img_size
        colours = self.network.pretrained_cfg
        for buffer, value in (("mean", colours["mean"]), ("deviation", colours["std"])):
            self.register_buffer(buffer, torch.tensor(value)[:, None, None], persistent=False)

    @property
    def channels(self) -> int:
        """Of each grid of features."""
        return self.network.embed_dim

    def forward(self, crops: Tensor) -> list[Tensor]:
        """Four grids (B, C, h, w) of crops (B, 3, S, S) in [0, 1]."""
        seen = functional.interpolate(crops, self.size, mode="bilinear", align_corners=False, antialias=True)
        seen = (seen - self.mean) / self.deviation
        return self.network.forward_intermediates(seen, indices=self.layers, intermediates_only=True)


class DptHead(nn.Module):
    """Crops and maps of a mesh (B, 11, S, S) and a backbone's features to maps (B, 19, S, S)."""

    units: Tensor

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.reassemble = nn.ModuleList(nn.Conv2d(channels, width, 1) for _ in STRIDES)
        self.fuse = nn.ModuleList(Fusion(width) for _ in STRIDES)
        self.enter = nn.Conv2d(INPUTS, width // 2, 3, padding=1)
        self.fused = nn.Conv2d(width, width // 2, 3, padding=1)
        self.join = nn.Conv2d(width // 2, BEFORE_MAPS, 3, padding=1)
        self.maps = nn.Conv2d(BEFORE_MAPS, OUTPUTS, 1)
        nn.init.normal_(self.maps.weight, std=0.01)
        nn.init.zeros_(self.maps.get_parameter("bias"))
        self.register_buffer("units", torch.tensor(UNITS)[:, None, None], persistent=False)

    def forward(self, seen: Tensor, features: Sequence[Tensor]) -> Tensor:
        """Height, normal (of any length), place, three logarithms of deviations, and scores of the classes."""
        size = seen.shape[-1]
        x = seen.new_zeros(())  # nothing is coarser than the coarsest grid
        for level in reversed(range(len(STRIDES))):
            grid = self.reassemble[level](features[level])
            x = self.fuse[level](_resized(grid, size // STRIDES[level]), x)
        x = self.join((self.enter(seen) + _resized(self.fused(x), size)).relu()).relu()
        with torch.autocast(seen.device.type, enabled=False):  # bfloat16 has too few digits for the results
            maps = self.maps(x.float())
            surface = seen[:, -SURFACE:].float() + self.units * maps[:, :SURFACE]
            return torch.cat([surface, maps[:, SURFACE:]], dim=1)

    def damp(self, share: float) -> None:
        """Change the mesh by this share of what it was changed by: of a network that overfits, less is better."""
        with torch.no_grad():
            for name in ("weight", "bias"):
                self.maps.get_parameter(name)[:SURFACE] *= share


class Fusion(nn.Module):
    """Joins a grid with what came of the coarser ones, and doubles its size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.own, self.both = ResidualUnit(width), ResidualUnit(width)
        self.out = nn.Conv2d(width, width, 1)

    def forward(self, grid: Tensor, coarser: Tensor) -> Tensor:
        """(B, width, 2 H, 2 W) of a grid and what came before it, (B, width, H, W) both."""
        return self.out(_resized(self.both(self.own(grid) + coarser), 2 * grid.shape[-1]))


class ResidualUnit(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) of the same."""
        return x + self.second(self.first(x.relu()).relu())


class DptNetwork(nn.Module):
    """Backbone and head: the content of a file."""

    def __init__(self, architecture: Dpt) -> None:
        """Raises: ExtraMissing, ValueError as `Backbone` does."""
        super().__init__()
        self.backbone = Backbone(architecture.backbone)
        self.head = DptHead(self.backbone.channels, architecture.width)

    def forward(self, crops: Tensor, mesh: Tensor) -> Tensor:
        """Maps (B, 19, S, S) of crops (B, 3, S, S) in [0, 1] and maps of meshes (B, 8, S, S)."""
        return self.head(torch.cat([crops - GREY, mesh], dim=1), self.backbone(crops))


class TorchDpt:
    """A loaded network, which takes and gives what `dense_graph` does."""

    def __init__(self, architecture: Dpt, arrays: Mapping[str, np.ndarray], threads: int | None) -> None:
        """The number of threads is torch's, for the whole process; None uses all usable cores.

        Raises: ExtraMissing without timm, ValueError if the arrays are not this network's.
        """
        torch.set_num_threads(threads or usable_cores())
        self._network = DptNetwork(architecture).eval().requires_grad_(False)
        take(self._network, arrays)

    def __call__(self, *values: np.ndarray) -> list[np.ndarray]:
        """Surface (B, 7, S, S), logarithms of deviations (B, 3, S, S) and probabilities of classes (B, C, S, S)."""
        with torch.inference_mode():
            maps = self._network(*(torch.from_numpy(value) for value in values))
            surface, sure, scores = maps.split([SURFACE, CONFIDENCES, OUTPUTS - SURFACE - CONFIDENCES], dim=1)
            return [part.numpy() for part in (surface, sure, scores.softmax(dim=1))]


def take(module: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Use arrays by the names of a module's state.

    Raises: ValueError if one is missing or has another shape.
    """
    state = module.state_dict()
    for name, value in state.items():
        array = arrays.get(name)
        if array is None or array.shape != value.shape:
            found = "missing" if array is None else f"{array.shape}, not {tuple(value.shape)}"
            raise ValueError(f"its array {name!r} is {found}")
    module.load_state_dict({name: torch.from_numpy(np.array(arrays[name])) for name in state})


def _resized(x: Tensor, size: int) -> Tensor:
    return functional.interpolate(x, (size, size), mode="bilinear", align_corners=False)
