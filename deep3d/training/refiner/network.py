"""The refiner network in torch, for training; `deep3d.refiner.graph` is the same network for inference."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from deep3d.refiner.chart import CHART_CHANNELS
from deep3d.refiner.layers import (
    COARSE,
    DOWN,
    FINE,
    FINE_KERNEL,
    FINE_STRIDE,
    MIDDLE,
    SHAPE,
    UP,
    array_shapes,
    landmark_cells,
)

_FIRST_LOG_DEVIATION = 0.7  # of an untrained network: two pixels


class RefinerNetwork(nn.Module):
    """Charts (B, 9, S, S) and shapes (B, 144) to landmarks (B, N, 3), like `refiner_graph`."""

    def __init__(self, places: np.ndarray) -> None:
        """`places` (N, 2) are those of the landmarks on the chart, column and row."""
        super().__init__()
        self.fine = _grid(ConvolutionNorm(CHART_CHANNELS, FINE, FINE_KERNEL, FINE_STRIDE), FINE)
        self.middle = _grid(ConvolutionNorm(FINE, MIDDLE, 3, 2), MIDDLE)
        self.coarse = _grid(ConvolutionNorm(MIDDLE, COARSE, 3, 2), COARSE)
        self.shape = nn.Linear(SHAPE, COARSE)
        self.context = nn.Linear(COARSE, COARSE)
        self.middle["from_coarse"] = nn.Conv2d(COARSE, MIDDLE, 1)
        self.middle.update({name: Block(MIDDLE) for name in UP})
        self.fine["from_middle"] = nn.Conv2d(MIDDLE, FINE, 1)
        self.fine.update({name: Block(FINE) for name in UP})
        self.landmarks = LandmarkReader(places)

    def forward(self, chart: Tensor, shape: Tensor) -> Tensor:
        """Columns, rows and logarithms of deviations (B, N, 3)."""
        fine = _through(self.fine, self.fine["enter"](chart).relu(), DOWN)
        middle = _through(self.middle, self.middle["enter"](fine).relu(), DOWN)
        coarse = _through(self.coarse, self.coarse["enter"](middle).relu(), DOWN)
        context = self.shape(shape) + self.context(coarse.mean(dim=(2, 3)))
        coarse = (coarse + context[:, :, None, None]).relu()
        middle = _through(self.middle, middle + _larger(self.middle["from_coarse"](coarse)), UP)
        fine = _through(self.fine, fine + _larger(self.fine["from_middle"](middle)), UP)
        with torch.autocast(chart.device.type, enabled=False):  # bfloat16 has too few digits for the results
            return self.landmarks(fine.float())

    def take(self, arrays: dict[str, np.ndarray]) -> None:
        """Load the arrays of `layers.array_shapes`; batch norms then only add a bias."""
        values = {name: torch.from_numpy(array) for name, array in arrays.items()}
        with torch.no_grad():
            for name, module in self.named_modules():
                if isinstance(module, ConvolutionNorm):
                    module.take(values.pop(f"{name}.weight"), values.pop(f"{name}.bias"))
            for name, value in values.items():
                self.get_parameter(name).copy_(value)

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of `layers.array_shapes`, batch norms folded in."""
        values: dict[str, Tensor] = dict(self.named_parameters())
        for name, module in self.named_modules():
            if isinstance(module, ConvolutionNorm):
                values[f"{name}.weight"], values[f"{name}.bias"] = module.folded()
        count = len(self.landmarks.get_parameter("bias"))
        return {name: values[name].detach().float().cpu().numpy() for name in array_shapes(count)}


class ConvolutionNorm(nn.Module):
    """A convolution and its batch norm."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, outputs, H / stride, W / stride) of (B, inputs, H, W)."""
        return self.norm(self.convolution(x))

    def take(self, weight: Tensor, bias: Tensor) -> None:
        """Load this weight and bias."""
        self.convolution.weight.copy_(weight)
        self.norm.weight.fill_(1)
        self.norm.bias.copy_(bias)
        self.norm.get_buffer("running_mean").zero_()
        self.norm.get_buffer("running_var").fill_(1 - self.norm.eps)

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of an equivalent convolution in evaluation."""
        norm = self.norm
        mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
        gain = norm.weight / (variance + norm.eps).sqrt()
        return self.convolution.weight * gain[:, None, None, None], norm.bias - mean * gain


class Block(nn.Module):
    """A residual block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = ConvolutionNorm(width, width), ConvolutionNorm(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) of the same."""
        return (x + self.second(self.first(x).relu())).relu()


class LandmarkReader(nn.Module):
    """Reads each landmark from its cell of the finest grid, with its own weights."""

    cells: Tensor  # (N,)

    def __init__(self, places: np.ndarray) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.01 * torch.randn(len(places), FINE, 3))
        self.bias = nn.Parameter(torch.tensor([0.0, 0.0, _FIRST_LOG_DEVIATION]).repeat(len(places), 1))
        self.register_buffer("cells", torch.from_numpy(landmark_cells(places)), persistent=False)

    def forward(self, fine: Tensor) -> Tensor:
        """(B, N, 3) of (B, C, CELLS, CELLS)."""
        return torch.einsum("bcn,nck->bnk", fine.flatten(2)[:, :, self.cells], self.weight) + self.bias


def _grid(enter: ConvolutionNorm, width: int) -> nn.ModuleDict:
    return nn.ModuleDict({"enter": enter, **{name: Block(width) for name in DOWN}})


def _through(grid: nn.ModuleDict, x: Tensor, names: tuple[str, ...]) -> Tensor:
    for name in names:
        x = grid[name](x)
    return x


def _larger(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="nearest")
