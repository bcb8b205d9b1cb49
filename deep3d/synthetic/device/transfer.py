"""Copy arrays to the device."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def to_device(values: np.ndarray, device: torch.device) -> Tensor:
    """The values as a tensor on the device.

    A graphics card copies page-locked memory in its own time. Waiting for it, be it for a few numbers, would
    idle.
    """
    tensor = torch.from_numpy(values)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor
