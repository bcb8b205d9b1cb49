"""The network in ONNX is the one that torch trains, in every runtime."""

import hashlib
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from numpy.testing import assert_allclose

from deep3d.dense import FULL, SLIM
from deep3d.dense.graph import dense_graph
from deep3d.dense.layers import GREY
from deep3d.runtime import Choice, available_runtimes, load_network
from deep3d.training.dense.backbones import Trunk
from deep3d.training.dense.network import UNetNetwork

NARROW = replace(FULL, grids=(8, 12, 16, 24, 32), blocks=(1, 1, 1, 2, 1), detail=6)


@pytest.fixture(scope="module")
def trunk(checkpoint) -> Trunk:
    return Trunk(checkpoint)


@pytest.mark.parametrize("architecture", [SLIM, NARROW], ids=["slim", "full but narrow"])
@pytest.mark.parametrize("runtime", [name for name in ("onnx", "openvino") if name in available_runtimes()])
def test_onnx_says_what_torch_says(architecture, checkpoint, trunk, weights, runtime):
    torch.manual_seed(5)
    network, size = UNetNetwork(architecture), architecture.map_size
    torch.nn.init.normal_(network.maps.weight, std=0.1)
    torch.nn.init.normal_(network.detail.classes.weight, std=0.1)
    inputs = torch.randn(2, 11, size, size)
    network(inputs, trunk(inputs[:, :3]))  # batch norms that do something
    network.eval()
    rng = np.random.default_rng(1)
    crops = rng.random((2, 3, size, size), np.float32)
    mesh = rng.normal(size=(2, 8, size, size)).astype(np.float32)
    weights = replace(weights, architecture=architecture, arrays=network.arrays())

    surface, sure, classes = load_network(dense_graph(weights, checkpoint), Choice(runtime, "fp32"), 1)(crops, mesh)

    seen = torch.cat([torch.from_numpy(crops) - GREY, torch.from_numpy(mesh)], dim=1)
    with torch.no_grad():
        expected = network(seen, trunk(torch.from_numpy(crops)))
    assert_allclose(surface, expected[:, :7], atol=1e-4)
    assert_allclose(sure, expected[:, 7:10], atol=1e-3)
    assert_allclose(classes, expected[:, 10:].softmax(dim=1), atol=1e-4)


SLIM_GRAPH = "0f4aee684ddca733d1cd3828f63168599a00391bdf48633c8e5644d84faa7ef6"


def test_the_graph_of_a_slim_network_is_that_of_the_shipped_files(checkpoint, weights):
    graph = onnx.load_from_string(dense_graph(weights, checkpoint)).graph
    parts = [node.SerializeToString(deterministic=True) for node in graph.node]
    parts += [f"{each.name} {each.data_type} {[*each.dims]}".encode() for each in graph.initializer]
    assert hashlib.sha256(b"".join(parts)).hexdigest() == SLIM_GRAPH
