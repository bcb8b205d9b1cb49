import importlib.util

import numpy as np
import pytest
import torch

from deep3d.errors import ConfigError
from deep3d.network.checkpoints import read_checkpoint, write_checkpoint
from deep3d.network.torch_regressor import (
    RegressorConfig,
    RegressorNetwork,
    StandardizedRegressor,
    build_network,
    network_arrays,
)


@pytest.fixture
def network(toy_checkpoint) -> RegressorNetwork:
    return build_network(toy_checkpoint)


@pytest.fixture
def crops() -> torch.Tensor:
    return torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def affine() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(257)
    return torch.randn(257, generator=generator), torch.logspace(-2, 1, 257)


def test_output_is_that_of_the_reference(shared):
    recipe = importlib.util.spec_from_file_location("seeded_weights", shared / "parity" / "seeded_weights.py")
    assert recipe is not None and recipe.loader is not None
    seeded_weights = importlib.util.module_from_spec(recipe)
    recipe.loader.exec_module(seeded_weights)
    network = seeded_weights.fill(RegressorNetwork()).eval()
    with np.load(shared / "parity" / "network.npz") as golden, np.load(shared / "parity" / "alignment.npz") as photos:
        expected, crops = golden["output"], photos["crop"][golden["crop_index"]]
    with torch.inference_mode():
        output = network(torch.from_numpy(crops).permute(0, 3, 1, 2) / 255)
    np.testing.assert_allclose(output.numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("size", [64, 112])
def test_heads_start_at_zero_for_any_crop_size(size):
    network = RegressorNetwork(RegressorConfig(trunk="resnet18"))
    output = network(torch.rand(2, 3, size, size))
    assert output.shape == (2, 257)
    assert not output.any()


def test_unknown_trunk():
    with pytest.raises(ConfigError, match="'vgg' is unknown, choose one of resnet18, resnet50"):
        RegressorNetwork(RegressorConfig(trunk="vgg"))


def test_heads_keep_float32_under_autocast(network, crops):
    with torch.no_grad():
        exact = network(crops)
        with torch.autocast("cpu", torch.bfloat16):
            rounded = network(crops)
    assert rounded.dtype == torch.float32
    assert torch.unique(rounded.bfloat16().float() - rounded).numel() > 1  # more digits than bfloat16 has
    torch.testing.assert_close(rounded, exact, atol=0.05, rtol=0)


def test_standardized_output_is_mean_and_scale_of_the_networks(network, crops, affine):
    mean, scale = affine
    with torch.no_grad():
        output = StandardizedRegressor(network, mean, scale).eval()(crops)
        torch.testing.assert_close(output, mean + scale * network(crops))


def test_folding_keeps_the_function_and_the_layout(network, crops, affine):
    standardized = StandardizedRegressor(network, *affine).eval()
    folded = standardized.fold()
    assert [*folded.state_dict()] == [*network.state_dict()]
    with torch.no_grad():
        torch.testing.assert_close(folded(crops), standardized(crops), atol=1e-4, rtol=1e-4)


def test_unfolding_keeps_the_function_and_undoes_folding(network, crops, affine):
    before = network_arrays(network)
    standardized = StandardizedRegressor.unfold(network, *affine).eval()
    again = standardized.fold()
    with torch.no_grad():
        torch.testing.assert_close(standardized(crops), network(crops), atol=1e-4, rtol=1e-4)
    for name, value in network_arrays(again).items():
        np.testing.assert_allclose(value, before[name], atol=1e-5)


def test_folding_leaves_the_network_as_it_was(network, affine):
    before = {name: value.copy() for name, value in network_arrays(network).items()}
    StandardizedRegressor(network, *affine).fold()
    for name, value in network_arrays(network).items():
        np.testing.assert_array_equal(value, before[name])


def test_standardized_regressor_resumes_with_its_mean_and_scale(affine):
    config = RegressorConfig(trunk="resnet18")
    state = StandardizedRegressor(RegressorNetwork(config), *affine).state_dict()
    other = StandardizedRegressor(RegressorNetwork(config), torch.zeros(257), torch.ones(257))
    other.load_state_dict(state)
    torch.testing.assert_close(other.output_scale, affine[1])


@pytest.mark.parametrize(("storage", "tolerance"), [("float32", 0), ("float16", 0.002), ("int8", 0.02)])
def test_stored_networks_compute_the_same(
    tmp_path, toy_checkpoint_arrays, toy_checkpoint_info, crops, storage, tolerance
):
    network = RegressorNetwork(RegressorConfig(trunk="resnet18")).eval()
    network.load_state_dict({name: torch.tensor(value) for name, value in toy_checkpoint_arrays.items()})
    path = tmp_path / "stored.safetensors"
    write_checkpoint(path, toy_checkpoint_info, network_arrays(network), storage)
    restored = build_network(read_checkpoint(path))
    assert not restored.training
    with torch.inference_mode():
        expected = network(crops)
        error = restored(crops) - expected
    assert error.norm() <= tolerance * expected.norm()


def test_folded_batch_norms_compute_the_same(tmp_path, toy_checkpoint_arrays, toy_checkpoint_info, crops):
    path = tmp_path / "stored.safetensors"
    write_checkpoint(path, toy_checkpoint_info, toy_checkpoint_arrays)
    checkpoint = read_checkpoint(path)
    with torch.inference_mode():
        expected = build_network(checkpoint)(crops)
        output = build_network(checkpoint.folded())(crops)
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-4)


def test_training_a_built_network_leaves_the_checkpoint_alone(toy_checkpoint):
    before = toy_checkpoint.arrays["final_layers.0.bias"].copy()
    with torch.no_grad():
        build_network(toy_checkpoint).final_layers[0].get_parameter("bias").add_(1)
    np.testing.assert_array_equal(toy_checkpoint.arrays["final_layers.0.bias"], before)
