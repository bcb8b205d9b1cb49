"""A dense prediction transformer: what it gives, what its file holds, and what it says without timm."""

import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from deep3d.dense import DenseEstimator, Dpt, dense_path, read_dense, write_dense
from deep3d.dense.dpt import DptNetwork, TorchDpt
from deep3d.errors import CheckpointInvalid, ExtraMissing
from deep3d.face_model import FaceModel
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.runtime import Choice

TINY = Dpt(map_size=224, backbone="test_vit", width=16)
ONNX = Choice("onnx", "fp32")
needs_timm = pytest.mark.skipif(find_spec("timm") is None, reason="needs timm")


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    torch.manual_seed(1)
    return {name: value.numpy() for name, value in DptNetwork(TINY).state_dict().items()}


@pytest.fixture
def owner(checkpoint, tmp_path):
    return replace(checkpoint, path=tmp_path / "face.safetensors")


@needs_timm
def test_it_changes_the_mesh_by_little_before_training_and_gives_chances(arrays):
    rng = np.random.default_rng(1)
    crops = rng.random((2, 3, 224, 224), np.float32)
    mesh = rng.normal(size=(2, 8, 224, 224)).astype(np.float32)
    surface, sure, classes = TorchDpt(TINY, arrays, 1)(crops, mesh)
    assert surface.shape == (2, 7, 224, 224) and sure.shape == (2, 3, 224, 224)
    assert 0 < np.abs(surface - mesh[:, 1:]).max() < 0.5
    assert_allclose(classes.sum(axis=1), 1, atol=1e-5)


@needs_timm
def test_its_file_states_its_backbone_and_gives_maps_of_a_photo(owner, info, arrays, model: FaceModel):
    write_dense(dense_path(owner), info, TINY, arrays)
    read = read_dense(owner)
    assert read is not None and read.architecture == TINY and read.arrays.keys() == arrays.keys()
    face = Reconstructor.load(refinement="none", threads=1)("docs/sample/astronaut.jpg")
    maps = DenseEstimator.load(read, owner, model, ONNX, 1)(face.crop.image[None], face.coefficients, [face.camera])
    assert maps.surface.height.shape == (1, 224, 224) and np.isfinite(maps.surface.height).all()


@needs_timm
def test_weights_of_another_network_are_named(owner, info, arrays, model: FaceModel):
    write_dense(dense_path(owner), info, replace(TINY, width=32), arrays)
    read = read_dense(owner)
    assert read is not None
    with pytest.raises(CheckpointInvalid, match=r"face\.dense\.safetensors: its array 'head\..*, not \(32"):
        DenseEstimator.load(read, owner, model, ONNX, 1)


@needs_timm
@pytest.mark.parametrize("name", ["hf-hub:someone/something", "no_such_vit", "resnet18"])
def test_only_vision_transformers_that_timm_knows_are_backbones(name):
    with pytest.raises(ValueError, match=name):
        DptNetwork(replace(TINY, backbone=name))


def test_without_timm_one_line_says_what_to_install(owner, info, model: FaceModel, monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    write_dense(dense_path(owner), info, TINY, {"head.maps.bias": np.zeros(19, np.float32)})
    read = read_dense(owner)
    assert read is not None
    with pytest.raises(ExtraMissing, match=r"needs timm .*pip install 'deep3d\[torch,dpt\]'"):
        DenseEstimator.load(read, owner, model, ONNX, 1)


def test_without_torch_too(owner, info, model: FaceModel, monkeypatch):
    monkeypatch.setattr("deep3d.dense.estimator.find_spec", lambda _: None)
    write_dense(dense_path(owner), info, TINY, {"head.maps.bias": np.zeros(19, np.float32)})
    read = read_dense(owner)
    assert read is not None
    with pytest.raises(ExtraMissing, match=r"face\.dense\.safetensors: a DPT computes in torch; pip install"):
        DenseEstimator.load(read, owner, model, ONNX, 1)
