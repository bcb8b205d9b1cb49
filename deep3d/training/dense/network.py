"""The U-Net in torch, for training; `deep3d.dense.graph` is the same network for inference."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from deep3d.dense.architecture import TRUNK, UNet
from deep3d.dense.layers import CLASSES, ENTER_KERNEL, INPUTS, OUTPUTS, UNITS, array_shapes
from deep3d.training.refiner.network import Block, ConvolutionNorm


class UNetNetwork(nn.Module):
    """Crops and maps of a mesh (B, 11, S, S) and features of the trunk to maps (B, 19, S, S), like `dense_graph`."""

    units: Tensor

    def __init__(self, network: UNet) -> None:
        super().__init__()
        self._network = network
        grids = network.grids
        self.enter = nn.ModuleList(
            ConvolutionNorm(INPUTS, width, ENTER_KERNEL, network.cell)
            if level == 0
            else ConvolutionNorm(grids[level - 1], width, 3, 2)
            for level, width in enumerate(grids)
        )
        self.down = nn.ModuleList(
            nn.Sequential(*(Block(width) for _ in range(blocks)))
            for width, blocks in zip(grids, network.blocks, strict=True)
        )
        channels = list(TRUNK.values())
        self.trunk = nn.ModuleList(
            nn.Identity() if stage is None else ConvolutionNorm(channels[stage], width, 1)
            for stage, width in zip(network.stages, grids, strict=True)
        )
        self.up = nn.ModuleList(Up(width, coarser) for width, coarser in pairwise(grids))
        self.maps = nn.Conv2d(grids[0], OUTPUTS * network.cell**2, 1)
        nn.init.normal_(self.maps.weight, std=0.01)
        nn.init.zeros_(self.maps.get_parameter("bias"))
        self.detail = Detail(network)
        self.register_buffer("units", torch.tensor(UNITS), persistent=False)

    def forward(self, seen: Tensor, features: Sequence[Tensor]) -> Tensor:
        """Height, normal (of any length), place, three logarithms of deviations, and scores of the classes."""
        grids, x = [], seen
        for level, stage in enumerate(self._network.stages):
            x = self.enter[level](x)
            if stage is not None:
                x = x + self.trunk[level](features[stage])
            x = self.down[level](x.relu())
            grids.append(x)
        for level in reversed(range(len(self.up))):
            x = self.up[level](grids[level], x)
        details = self.detail(seen, x).float()
        with torch.autocast(seen.device.type, enabled=False):  # bfloat16 has too few digits for the results
            maps = functional.pixel_shuffle(self.maps(x.float()), self._network.cell)
            surface = seen[:, 4:].float() + self.units[:, None, None] * maps[:, : len(self.units)]
            scores = maps[:, -len(CLASSES) :] + details
            return torch.cat([surface, maps[:, len(self.units) : -len(CLASSES)], scores], dim=1)

    def take(self, arrays: dict[str, np.ndarray]) -> None:
        """Use the arrays of `layers.array_shapes`; batch norms then only add a number."""
        with torch.no_grad():
            for name, module in self._parts().items():
                weight, bias = (torch.from_numpy(arrays[f"{name}.{part}"]) for part in ("weight", "bias"))
                if isinstance(module, ConvolutionNorm):
                    module.take(weight, bias)
                else:
                    module.get_parameter("weight").copy_(weight)
                    module.get_parameter("bias").copy_(bias)

    def damp(self, share: float) -> None:
        """Change the mesh by this share of what it was changed by: of a network that overfits, less is better."""
        pixels = len(self.units) * self._network.cell**2
        with torch.no_grad():
            for name in ("weight", "bias"):
                self.maps.get_parameter(name)[:pixels] *= share

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of `layers.array_shapes`, batch norms folded in."""
        values: dict[str, Tensor] = {}
        for name, module in self._parts().items():
            values |= _folded(name, module)
        return {name: values[name].detach().float().cpu().numpy() for name in array_shapes(self._network)}

    def _parts(self) -> dict[str, nn.Module]:
        """The convolutions by their names in `layers.array_shapes`."""
        parts: dict[str, nn.Module] = {"maps": self.maps}
        for level, stage in enumerate(self._network.stages):
            parts[f"{level}.enter"] = self.enter[level]
            if stage is not None:
                parts[f"{level}.trunk"] = self.trunk[level]
            for number, block in enumerate(self.down[level].children()):
                parts |= {f"{level}.{number}.{part}": getattr(block, part) for part in ("first", "second")}
        parts |= {f"detail.{name}": module for name, module in self.detail.parts().items()}
        for level, up in enumerate(self.up):
            parts |= {f"{level}.{name}": module for name, module in up.named_children()}
        return parts


class Detail(nn.Module):
    """What a finer grid adds to the scores of the classes: nothing before training."""

    def __init__(self, network: UNet) -> None:
        super().__init__()
        self._cell = network.cell // 2
        self.enter = ConvolutionNorm(INPUTS, network.detail, 3, self._cell)
        self.coarser = ConvolutionNorm(network.grids[0], network.detail, 1)
        self.block = Block(network.detail)
        self.classes = nn.Conv2d(network.detail, len(CLASSES) * self._cell**2, 1)
        nn.init.zeros_(self.classes.weight)
        nn.init.zeros_(self.classes.get_parameter("bias"))

    def forward(self, seen: Tensor, below: Tensor) -> Tensor:
        """(B, classes, S, S) of the input (B, 11, S, S) and the finest grid (B, C, S / cell, S / cell)."""
        x = self.block((self.enter(seen) + larger(self.coarser(below))).relu())
        return functional.pixel_shuffle(self.classes(x), self._cell)

    def parts(self) -> dict[str, nn.Module]:
        """The convolutions by their names in `layers.array_shapes`, without "detail."."""
        block = {f"0.{part}": getattr(self.block, part) for part in ("first", "second")}
        return {"enter": self.enter, "coarser": self.coarser, **block, "classes": self.classes}


class Up(nn.Module):
    """Joins a grid, gated by the coarser one, with that coarser one."""

    def __init__(self, width: int, coarser: int) -> None:
        super().__init__()
        self.coarser = ConvolutionNorm(coarser, width, 1)
        self.gate_fine = ConvolutionNorm(width, width // 2, 1, 2)
        self.gate_coarse = ConvolutionNorm(coarser, width // 2, 1)
        self.gate = nn.Conv2d(width // 2, 1, 1)
        self.join = ConvolutionNorm(2 * width, width)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """(B, width, 2 H, 2 W) of itself and of (B, coarser, H, W)."""
        opened = self.gate((self.gate_fine(fine) + self.gate_coarse(coarse)).relu()).sigmoid()
        both = torch.cat([fine * larger(opened), larger(self.coarser(coarse).relu())], dim=1)
        return self.join(both).relu()


def larger(x: Tensor) -> Tensor:
    """Twice the size, each cell four times."""
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def _folded(name: str, module: nn.Module) -> dict[str, Tensor]:
    if isinstance(module, ConvolutionNorm):
        weight, bias = module.folded()
    else:
        assert isinstance(module, nn.Conv2d) and module.bias is not None
        weight, bias = module.weight, module.bias
    return {f"{name}.weight": weight, f"{name}.bias": bias}
