"""The network in ONNX is the one that torch trains, in every runtime."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from deep3d.dense.graph import dense_graph
from deep3d.dense.layers import GREY
from deep3d.dense.maps import MAP_SIZE
from deep3d.runtime import Choice, available_runtimes, load_network
from deep3d.training.dense.learning import frozen_trunk, trunk_features
from deep3d.training.dense.network import DenseNetwork


@pytest.fixture(scope="module")
def network(checkpoint) -> DenseNetwork:
    torch.manual_seed(5)
    network = DenseNetwork()
    torch.nn.init.normal_(network.maps.weight, std=0.1)
    inputs = torch.randn(2, 11, MAP_SIZE, MAP_SIZE)
    network(inputs, trunk_features(frozen_trunk(checkpoint), inputs[:, :3]))  # batch norms that do something
    return network.eval()


@pytest.mark.parametrize("runtime", [name for name in ("onnx", "openvino") if name in available_runtimes()])
def test_onnx_says_what_torch_says(network, checkpoint, weights, runtime):
    rng = np.random.default_rng(1)
    crops = rng.random((2, 3, MAP_SIZE, MAP_SIZE), np.float32)
    mesh = rng.normal(size=(2, 8, MAP_SIZE, MAP_SIZE)).astype(np.float32)
    weights = replace(weights, arrays=network.arrays())

    surface, sure, classes = load_network(dense_graph(weights, checkpoint), Choice(runtime, "fp32"), 1)(crops, mesh)

    seen = torch.cat([torch.from_numpy(crops) - GREY, torch.from_numpy(mesh)], dim=1)
    with torch.no_grad():
        expected = network(seen, trunk_features(frozen_trunk(checkpoint), torch.from_numpy(crops)))
    assert_allclose(surface, expected[:, :7], atol=1e-4)
    assert_allclose(sure, expected[:, 7:10], atol=1e-3)
    assert_allclose(classes, expected[:, 10:].softmax(dim=1), atol=1e-4)
