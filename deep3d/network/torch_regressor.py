"""The regressor network: a ResNet trunk and the seven 1 x 1 heads of Deep3DFaceRecon (Deng et al., 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from deep3d.camera import CROP_SIZE
from deep3d.coefficients import COEFFICIENT_COUNT
from deep3d.errors import ConfigError
from deep3d.network.architecture import DENSE_VERTICES, DENSE_WIDTH, HEAD_WIDTHS, OFFSET_PIXELS, TRUNKS
from deep3d.network.checkpoints import Checkpoint
from deep3d.network.torch_resnet import ResNet


@dataclass(frozen=True)
class RegressorConfig:
    """The architecture of a regressor."""

    trunk: str = "resnet50"  # or resnet18, for small servers
    dense_vertices: tuple[int, ...] = ()  # of the face model: one dense landmark each; none in Deep3D's own networks


_FIRST_LOG_DEVIATION = 2.0  # the initial deviation is about seven pixels


class RegressorNetwork(nn.Module):
    """Crops (B, 3, S, S), RGB in [0, 1] and S a multiple of 16, at least 32, to vectors (B, 257 + 3 N).

    The first 257 numbers are coefficients, followed by N dense landmarks: column and row in pixels of the
    224-pixel crop, and the logarithm of their standard deviation in such pixels. The names, shapes and order of the
    state dict are Deep3DFaceRecon's, followed by `dense` where N > 0. The heads start at zero; the trunk starts
    from random weights.

    Raises: ConfigError if the trunk is unknown.
    """

    def __init__(self, config: RegressorConfig = RegressorConfig()) -> None:
        super().__init__()
        if config.trunk not in TRUNKS:
            raise ConfigError(f"trunk: {config.trunk!r} is unknown, choose one of {', '.join(TRUNKS)}")
        self.config = config
        self.backbone = ResNet(config.trunk)
        width = TRUNKS[config.trunk].width
        self.final_layers = nn.ModuleList(nn.Conv2d(width, count, kernel_size=1) for count in HEAD_WIDTHS)
        for parameter in self.final_layers.parameters():
            nn.init.zeros_(parameter)
        self.dense = DenseHead(width, len(config.dense_vertices)) if config.dense_vertices else None

    def forward(self, crops: Tensor) -> Tensor:
        """Vectors (B, 257 + 3 N) of crops (B, 3, S, S)."""
        eighth, sixteenth, last = self.backbone(crops)
        feature = functional.adaptive_avg_pool2d(last, 1)
        with torch.autocast(crops.device.type, enabled=False):  # bfloat16 has too few digits for the coefficients
            feature = feature.to(next(self.final_layers.parameters()).dtype)
            vectors = torch.cat([head(feature) for head in self.final_layers], dim=1).flatten(1)
        return vectors if self.dense is None else torch.cat([vectors, self.dense(eighth, sixteenth)], dim=1)


class DenseHead(nn.Module):
    """Dense landmarks with a deviation each (Wood et al., 2022), from the features at an eighth and a sixteenth.

    Every cell of the finer grid votes for each landmark with a weight, an offset from the cell's centre, and a
    deviation; the landmark is the weighted mean of the votes (an integral regression, Sun et al., 2018).
    """

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.fine = nn.Conv2d(width // 4, DENSE_WIDTH, kernel_size=1)
        self.coarse = nn.Conv2d(width // 2, DENSE_WIDTH, kernel_size=1)
        self.mix = nn.Conv2d(DENSE_WIDTH, DENSE_WIDTH, kernel_size=3, padding=1)
        self.votes = nn.Conv2d(DENSE_WIDTH, 4 * count, kernel_size=1)
        with torch.no_grad():
            self.votes.get_parameter("bias").zero_()[3 * count :].fill_(_FIRST_LOG_DEVIATION)

    def forward(self, eighth: Tensor, sixteenth: Tensor) -> Tensor:
        """Columns, rows and logarithms of deviations (B, 3 N): landmark by landmark, in pixels of the 224 crop."""
        coarse = functional.interpolate(self.coarse(sixteenth), size=eighth.shape[-2:], mode="nearest")
        mixed = functional.relu(self.mix(functional.relu(self.fine(eighth) + coarse)))
        with torch.autocast(eighth.device.type, enabled=False):
            weight, across, down, deviation = self.votes(mixed.to(self.votes.weight.dtype)).flatten(2).chunk(4, dim=1)
            weight = weight.softmax(dim=-1)
            height, width = eighth.shape[-2:]
            cell = CROP_SIZE / width
            column = (torch.arange(width, device=eighth.device) + 0.5) * cell - 0.5
            row = (torch.arange(height, device=eighth.device) + 0.5) * cell - 0.5
            columns = (weight * (column.repeat(height) + OFFSET_PIXELS * across)).sum(dim=-1)
            rows = (weight * (row.repeat_interleave(width) + OFFSET_PIXELS * down)).sum(dim=-1)
            return torch.stack([columns, rows, (weight * deviation).sum(dim=-1)], dim=-1).flatten(1)


class StandardizedRegressor(nn.Module):
    """A regressor in training: the network predicts standard scores, and the vector is mean + scale * score.

    The 257 coefficients differ in size by two orders of magnitude, which plain heads would have to learn first.
    `fold` gives the same function as a plain network, `unfold` continues the training of one.
    """

    output_mean: Tensor
    output_scale: Tensor

    def __init__(self, network: RegressorNetwork, output_mean: Tensor, output_scale: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("output_mean", output_mean)  # (257,)
        self.register_buffer("output_scale", output_scale)  # (257,) positive

    def forward(self, crops: Tensor) -> Tensor:
        """Vectors (B, 257 + 3 N) of crops (B, 3, S, S), as of `RegressorNetwork`."""
        scores = self.network(crops)
        vectors = torch.addcmul(self.output_mean, self.output_scale, scores[:, :COEFFICIENT_COUNT])
        return torch.cat([vectors, scores[:, COEFFICIENT_COUNT:]], dim=1)

    def fold(self) -> RegressorNetwork:
        """The same function as a new plain network: mean and scale become part of the heads."""
        return _rescaled(self.network, self.output_mean, self.output_scale)

    @classmethod
    def unfold(cls, network: RegressorNetwork, output_mean: Tensor, output_scale: Tensor) -> StandardizedRegressor:
        """The same function as a plain network, in the form for training; the network is copied."""
        return cls(_rescaled(network, -output_mean / output_scale, 1 / output_scale), output_mean, output_scale)


def build_network(checkpoint: Checkpoint) -> RegressorNetwork:
    """The network of a checkpoint, in evaluation mode."""
    with torch.device("meta"):  # skips random weights that would be replaced
        network = RegressorNetwork(RegressorConfig(checkpoint.info.trunk, checkpoint.dense_vertices))
    state = {name: torch.tensor(value) for name, value in checkpoint.arrays.items() if name != DENSE_VERTICES}
    network.load_state_dict(state, assign=True)
    return network.eval()


def network_arrays(network: RegressorNetwork) -> dict[str, np.ndarray]:
    """The state dict as numpy arrays, and the vertices of the dense landmarks, for `write_checkpoint`."""
    arrays = {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}
    if network.config.dense_vertices:
        arrays[DENSE_VERTICES] = np.array(network.config.dense_vertices, np.int64)
    return arrays


def _rescaled(network: RegressorNetwork, mean: Tensor, scale: Tensor) -> RegressorNetwork:
    """A copy of the network whose output is mean + scale * (the network's output)."""
    copy = RegressorNetwork(network.config).to(mean.device)
    copy.load_state_dict(network.state_dict())
    copy.train(network.training)
    with torch.no_grad():
        for head, head_mean, head_scale in zip(
            copy.final_layers.children(), mean.split(HEAD_WIDTHS), scale.split(HEAD_WIDTHS), strict=True
        ):
            head.get_parameter("weight").mul_(head_scale[:, None, None, None])
            head.get_parameter("bias").mul_(head_scale).add_(head_mean)
    return copy
