"""The shipped face model, a chart of it, and an untrained refiner network."""

from pathlib import Path

import numpy as np
import pytest
import torch

from deep3d.face_model import FaceModel
from deep3d.face_model.dense_landmarks import choose_dense_landmarks
from deep3d.network.companions import CompanionInfo
from deep3d.refiner import FaceChart, RefinerWeights
from deep3d.training.refiner.network import ConvolutionNorm, RefinerNetwork


@pytest.fixture(scope="session")
def vertices(model: FaceModel) -> tuple[int, ...]:
    return choose_dense_landmarks(model, 80)


@pytest.fixture(scope="session")
def chart(model: FaceModel, vertices: tuple[int, ...]) -> FaceChart:
    return FaceChart.of(model, vertices)


@pytest.fixture
def info(model: FaceModel) -> CompanionInfo:
    return CompanionInfo("made up", "1", model.info.name, model.info.sha256, "none", "MIT", "2026-01-01")


@pytest.fixture
def network(chart: FaceChart) -> RefinerNetwork:
    """Of random weights, with batch norms that have seen something."""
    torch.manual_seed(6)
    network = RefinerNetwork(chart.places)
    for module in network.modules():
        if isinstance(module, ConvolutionNorm):
            module.norm.get_buffer("running_mean").normal_(0, 0.1)
            module.norm.get_buffer("running_var").uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.norm.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.norm.bias, 0, 0.1)
    return network.eval()


@pytest.fixture
def arrays(network: RefinerNetwork) -> dict[str, np.ndarray]:
    return network.arrays()


@pytest.fixture
def weights(info: CompanionInfo, vertices: tuple[int, ...], arrays: dict[str, np.ndarray]) -> RefinerWeights:
    """Those of the network."""
    return RefinerWeights(Path("none.refiner.safetensors"), "0" * 64, Path("none.safetensors"), info, vertices, arrays)
