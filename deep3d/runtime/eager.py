"""The network as torch runs it, operation by operation: the reference for other runtimes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from deep3d.network.checkpoints import Checkpoint
from deep3d.network.torch_regressor import build_network
from deep3d.runtime.cores import usable_cores

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class EagerRuntime:
    """A `Runtime`.

    The number of threads is torch's, for the whole process; None uses all usable cores. With bf16
    the trunk computes in bfloat16 and the heads in float32.
    """

    name = "eager"

    def __init__(self, checkpoint: Checkpoint, threads: int | None, precision: str) -> None:
        torch.set_num_threads(threads or usable_cores())
        self.precision = precision
        self._network: nn.Module = PreparedNetwork(checkpoint, precision)

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Vectors (B, 257 + 3 N) float32 of crops (B, 3, S, S) float32, RGB in [0, 1]; see `Runtime`."""
        with torch.inference_mode():
            return self._network(torch.from_numpy(crops)).numpy()


class PreparedNetwork(nn.Module):
    """A checkpoint's network in one precision and the fastest memory layout."""

    def __init__(self, checkpoint: Checkpoint, precision: str) -> None:
        super().__init__()
        self.network = build_network(checkpoint.folded()).to(memory_format=torch.channels_last)
        self._dtype = _DTYPES[precision]
        self.network.backbone.to(self._dtype)
        if self.network.dense is not None:
            for layer in (self.network.dense.fine, self.network.dense.coarse, self.network.dense.mix):
                layer.to(self._dtype)

    def forward(self, crops: Tensor) -> Tensor:
        """Like `RegressorNetwork`, for float32 crops."""
        return self.network(crops.to(dtype=self._dtype, memory_format=torch.channels_last))


def example_crops(checkpoint: Checkpoint, count: int = 1) -> Tensor:
    """Black crops as example input."""
    return torch.zeros(count, 3, checkpoint.info.crop_size, checkpoint.info.crop_size)


def write_exported_program(checkpoint: Checkpoint, precision: str, path: Path) -> None:
    """Write the network with torch.export, for batches of any size."""
    network, crops = PreparedNetwork(checkpoint, precision).eval(), example_crops(checkpoint, count=2)
    network.to(memory_format=torch.contiguous_format)  # stored in the file
    batch = {"crops": {0: torch.export.Dim("batch")}}
    with torch.no_grad(), path.open("wb") as file:  # as a stream: with a path, its name would be part of the file
        torch.export.save(torch.export.export(network, (crops,), dynamic_shapes=batch), file)
