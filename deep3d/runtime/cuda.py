"""The network on an NVIDIA GPU, with torch."""

from __future__ import annotations

import numpy as np
import torch

from deep3d.errors import RuntimeUnavailable
from deep3d.network.checkpoints import Checkpoint
from deep3d.runtime.eager import PreparedNetwork


class CudaRuntime:
    """A `Runtime`, independent of the number of CPU threads. fp32 is true float32, not TF32.

    Raises: RuntimeUnavailable if torch finds no GPU.
    """

    name = "cuda"

    def __init__(self, checkpoint: Checkpoint, threads: int | None, precision: str) -> None:
        if not torch.cuda.is_available():
            raise RuntimeUnavailable("runtime: cuda needs an NVIDIA GPU and a CUDA build of torch; choose another")
        self.precision = precision
        self._network = PreparedNetwork(checkpoint, precision).cuda().eval()

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Vectors (B, 257 + 3 N) float32 of crops (B, 3, S, S) float32, RGB in [0, 1]; see `Runtime`."""
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            return self._network(torch.from_numpy(crops).cuda(non_blocking=True)).cpu().numpy()
