"""Batch norms for a network whose own are folded into its convolutions, such as eight-bit checkpoints."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def restore_batch_norms(network: nn.Module, *inputs: Tensor | Sequence[Tensor]) -> None:
    """Set all batch norms to what they see of a batch, without changing what the network gives in evaluation.

    A folded batch norm only adds a bias. Training would normalise with the batch's statistics, which is another
    function. With this it is the same one, as far as this batch represents others.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    seen: dict[nn.BatchNorm2d, tuple[Tensor, Tensor]] = {}

    def look(norm: nn.Module, maps: tuple[Tensor]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        seen[norm] = maps[0].mean(dim=(0, 2, 3)), maps[0].var(dim=(0, 2, 3), unbiased=False)

    hooks = [norm.register_forward_pre_hook(look) for norm in norms]
    training = network.training
    with torch.no_grad():
        network.eval()(*inputs)
        for norm in norms:
            _move(norm, *seen[norm])
    network.train(training)
    for hook in hooks:
        hook.remove()


def _move(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    """Set the norm's mean and variance (C,), and the weight and bias that compensate for them."""
    old_mean, old_variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    gain = norm.weight / (old_variance + norm.eps).sqrt()
    norm.bias.add_(gain * (mean - old_mean))
    norm.weight.copy_(gain * (variance + norm.eps).sqrt())
    old_mean.copy_(mean)
    old_variance.copy_(variance)
