"""The network as torch runs it, operation by operation: the reference for other runtimes."""

from __future__ import annotations

import numpy as np
import torch

from deep3d.checkpoints import Checkpoint
from deep3d.network import build_network
from deep3d.runtime.cores import usable_cores

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class EagerRuntime:
    """A `Runtime`.

    The number of threads is torch's own, so it holds for the whole process; None takes all usable cores. With bf16
    the trunk computes in bfloat16 and the heads in float32.
    """

    name = "eager"

    def __init__(self, checkpoint: Checkpoint, threads: int | None, precision: str) -> None:
        torch.set_num_threads(threads or usable_cores())
        self.precision = precision
        network = build_network(checkpoint.folded()).to(memory_format=torch.channels_last)
        network.backbone.to(_DTYPES[precision])
        if network.dense is not None:
            for layer in (network.dense.fine, network.dense.coarse, network.dense.mix):
                layer.to(_DTYPES[precision])
        self._network: torch.nn.Module = network

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Vectors (B, 257 + 3 N) float32 of crops (B, 3, S, S) float32, RGB in [0, 1]; see `Runtime`."""
        with torch.inference_mode():
            return self._network(self._input(torch.from_numpy(crops))).numpy()

    def _input(self, crops: torch.Tensor) -> torch.Tensor:
        return crops.to(dtype=_DTYPES[self.precision], memory_format=torch.channels_last)
