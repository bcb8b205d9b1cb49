"""What a dense network stands on and does not train: the regressor's trunk, or a vision transformer of timm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from deep3d.dense.architecture import UNet
from deep3d.dense.dpt import Backbone, DptHead, take
from deep3d.dense.maps import MAP_SIZE
from deep3d.dense.weights import require_trunk
from deep3d.errors import ConfigError
from deep3d.files.tensor_file import read_tensors
from deep3d.network.checkpoints import Checkpoint
from deep3d.network.torch_regressor import build_network
from deep3d.training.dense.config import DenseConfig
from deep3d.training.dense.network import UNetNetwork

DenseNetwork = UNetNetwork | DptHead
"""What is trained: takes the input and the backbone's features, and gives the maps."""


class Trunk(nn.Module):
    """The trunk of a checkpoint's regressor."""

    def __init__(self, start: Checkpoint) -> None:
        """Raises: CheckpointMismatch if no U-Net stands on it."""
        require_trunk(start)
        super().__init__()
        self.trunk = build_network(start).backbone.eval().requires_grad_(False)
        self.trunk.to(memory_format=torch.channels_last)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of its first three stages of crops (B, 3, S, S) in [0, 1], on the grids of `architecture.TRUNK`."""
        trunk = self.trunk
        with torch.no_grad():
            seen = functional.avg_pool2d(crops, crops.shape[-1] // MAP_SIZE)
            quarter = trunk.layer1(trunk.maxpool(trunk.relu(trunk.bn1(trunk.conv1(seen)))))
            eighth = trunk.layer2(quarter)
            return quarter, eighth, trunk.layer3(eighth)


class Transformer(nn.Module):
    """A vision transformer of timm, with the user's weights."""

    def __init__(self, name: str, weights: Path) -> None:
        """Raises: ConfigError if timm has no such transformer or the file has not its weights; ExtraMissing."""
        super().__init__()
        try:
            self.backbone = Backbone(name).eval().requires_grad_(False)
            take(self.backbone.network, read_tensors(weights).arrays)
        except OSError as error:
            raise ConfigError(f"{weights}: cannot be read ({error.strerror}); name a safetensors file") from error
        except ValueError as error:
            raise ConfigError(f"{weights}: no weights of the backbone {name} ({error})") from error

    def forward(self, crops: Tensor) -> list[Tensor]:
        """Its four grids of features of crops (B, 3, S, S) in [0, 1]."""
        with torch.no_grad():
            return self.backbone(crops)


def new_network(config: DenseConfig, start: Checkpoint) -> tuple[nn.Module, DenseNetwork]:
    """The frozen backbone of a configuration's network, and the rest of it with random weights.

    Raises: ConfigError, CheckpointMismatch, ExtraMissing.
    """
    architecture = config.network
    if isinstance(architecture, UNet):
        return Trunk(start), UNetNetwork(architecture)
    transformer = Transformer(architecture.backbone, Path(str(config.weights)))
    return transformer, DptHead(transformer.backbone.channels, architecture.width)


def file_arrays(backbone: nn.Module, network: DenseNetwork) -> dict[str, np.ndarray]:
    """The arrays for the file of a dense network: of a U-Net alone, for the trunk has a file; of a DPT all."""
    if isinstance(network, UNetNetwork):
        return network.arrays()
    head = {f"head.{name}": value for name, value in network.state_dict().items()}
    parts = backbone.state_dict() | head  # the names of `DptNetwork`
    return {name: value.detach().float().cpu().numpy() for name, value in parts.items()}


def use_arrays(network: DenseNetwork, arrays: dict[str, np.ndarray]) -> None:
    """Go on with what `file_arrays` gave. Raises: ValueError if it was another network's."""
    if isinstance(network, UNetNetwork):
        network.take(arrays)
    else:
        take(network, {name.removeprefix("head."): value for name, value in arrays.items()})
