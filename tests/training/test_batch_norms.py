"""Batch norms for networks that have lost their own."""

import torch
from torch import nn

from deep3d.training.batch_norms import restore_batch_norms


def folded_network() -> nn.Sequential:
    """Two convolutions whose batch norms only add a number."""
    torch.manual_seed(3)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3, bias=False), nn.BatchNorm2d(4)
    )
    for module in network:
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias)
    return network.train()


def test_training_starts_from_the_function_of_the_folded_network():
    network, crops = folded_network(), torch.rand(16, 3, 12, 12)
    with torch.no_grad():
        expected = network.eval()(crops)
        other = network.train()(crops)  # with the statistics of the batch
    assert (other - expected).abs().mean() > 0.3

    network = folded_network()
    restore_batch_norms(network, crops)

    assert network.training
    with torch.no_grad():
        torch.testing.assert_close(network(crops), expected, atol=1e-5, rtol=1e-5)
        unseen = torch.rand(4, 3, 12, 12)
        torch.testing.assert_close(network.eval()(unseen), folded_network().eval()(unseen), atol=1e-4, rtol=1e-4)
