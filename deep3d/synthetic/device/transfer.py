"""Copy arrays to the device."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def to_device(values: np.ndarray, device: torch.device) -> Tensor:
    """The values as a tensor on the device.

    A GPU copies page-locked memory in the background. Waiting for it, even for a few numbers, would leave the GPU idle.
    """
    tensor = torch.from_numpy(values)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor
