"""The arithmetic of training."""

from __future__ import annotations

import torch

from deep3d.runtime.cores import processor_precisions


def fast_arithmetic(device: torch.device) -> torch.autocast:
    """A context in which layers compute in bfloat16, unless the device has to emulate that, ten times slower."""
    fast = device.type != "cpu" or "bf16" in processor_precisions()
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)
