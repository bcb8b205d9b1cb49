"""The regressor network: a ResNet trunk and the seven 1 x 1 heads of Deep3DFaceRecon (Deng et al., 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models import resnet18, resnet50

from deep3d.checkpoints import Checkpoint
from deep3d.errors import ConfigError
from deep3d.resnet import HEAD_WIDTHS, TRUNKS

_BUILDERS = {"resnet18": resnet18, "resnet50": resnet50}


@dataclass(frozen=True)
class RegressorConfig:
    """What a regressor is made of."""

    trunk: str = "resnet50"  # or resnet18, for small servers


class RegressorNetwork(nn.Module):
    """Crops (B, 3, S, S), RGB in [0, 1] and S a multiple of 16, at least 32, to coefficient vectors (B, 257).

    The names, shapes and order of its state dict are Deep3DFaceRecon's. The heads start at zero; the trunk starts
    from random weights.

    Raises: ConfigError if the trunk is unknown.
    """

    def __init__(self, config: RegressorConfig = RegressorConfig()) -> None:
        super().__init__()
        if config.trunk not in TRUNKS:
            raise ConfigError(f"trunk: {config.trunk!r} is unknown, choose one of {', '.join(TRUNKS)}")
        self.config = config
        self.backbone = _BUILDERS[config.trunk](weights=None)
        self.backbone.add_module("fc", nn.Identity())
        width = TRUNKS[config.trunk].width
        self.final_layers = nn.ModuleList(nn.Conv2d(width, count, kernel_size=1) for count in HEAD_WIDTHS)
        for parameter in self.final_layers.parameters():
            nn.init.zeros_(parameter)

    def forward(self, crops: Tensor) -> Tensor:
        """Coefficient vectors (B, 257) of crops (B, 3, S, S)."""
        feature = self.backbone(crops)[:, :, None, None]
        with torch.autocast(crops.device.type, enabled=False):  # bfloat16 has too few digits for the coefficients
            feature = feature.to(next(self.final_layers.parameters()).dtype)
            return torch.cat([head(feature) for head in self.final_layers], dim=1).flatten(1)


class StandardizedRegressor(nn.Module):
    """A regressor in training: the network speaks standard scores, and the vector is mean + scale * score.

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
        """Coefficient vectors (B, 257) of crops (B, 3, S, S)."""
        return torch.addcmul(self.output_mean, self.output_scale, self.network(crops))

    def fold(self) -> RegressorNetwork:
        """The same function as a new plain network: mean and scale become part of the heads."""
        return _rescaled(self.network, self.output_mean, self.output_scale)

    @classmethod
    def unfold(cls, network: RegressorNetwork, output_mean: Tensor, output_scale: Tensor) -> StandardizedRegressor:
        """The same function as a plain network, in the form for training; the network is copied."""
        return cls(_rescaled(network, -output_mean / output_scale, 1 / output_scale), output_mean, output_scale)


def build_network(checkpoint: Checkpoint) -> RegressorNetwork:
    """The network of a checkpoint, in evaluation mode."""
    with torch.device("meta"):  # no time for random weights that are thrown away
        network = RegressorNetwork(RegressorConfig(trunk=checkpoint.info.trunk))
    network.load_state_dict({name: torch.tensor(value) for name, value in checkpoint.arrays.items()}, assign=True)
    return network.eval()


def network_arrays(network: RegressorNetwork) -> dict[str, np.ndarray]:
    """The state dict as numpy arrays, for `write_checkpoint`."""
    return {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}


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
