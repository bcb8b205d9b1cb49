import warnings

import numpy as np
import pytest
import torch

from deep3d.errors import ConfigError, RuntimeUnavailable
from deep3d.network import build_network
from deep3d.runtime import RUNTIMES, Runtime, eager, load_runtime
from deep3d.runtime.tuning import has_bf16


@pytest.fixture(autouse=True)
def threads_as_before():
    """Runtimes set the number of threads of the whole process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(224).random((3, 3, 224, 224), np.float32)


@pytest.fixture(scope="module")
def expected(toy_checkpoint, crops) -> np.ndarray:
    with torch.inference_mode():
        return build_network(toy_checkpoint)(torch.from_numpy(crops)).numpy()


@pytest.mark.parametrize("name", RUNTIMES)
def test_agrees_with_the_network_for_any_batch_size(name, toy_checkpoint, crops, expected):
    runtime: Runtime = load_runtime(name, toy_checkpoint, threads=1)
    assert (runtime.name, runtime.precision) == (name, "fp32")
    for count in (1, 3, 2, 1):
        output = runtime(crops[:count])
        assert output.dtype == np.float32
        np.testing.assert_allclose(output, expected[:count], atol=1e-5)


@pytest.mark.skipif(not has_bf16(), reason="this processor has no bf16 arithmetic")
@pytest.mark.parametrize("name", RUNTIMES)
def test_bf16_agrees_within_its_precision(name, toy_checkpoint, crops, expected):
    runtime = load_runtime(name, toy_checkpoint, threads=1, precision="bf16")
    for count in (1, 3):
        output = runtime(crops[:count])
        assert output.dtype == np.float32
        error = np.linalg.norm(output - expected[:count])
        assert 0 < error < 0.02 * np.linalg.norm(expected[:count])


def test_bf16_needs_a_processor_that_has_it(monkeypatch, toy_checkpoint):
    monkeypatch.setattr(eager, "has_bf16", lambda: False)
    with pytest.raises(RuntimeUnavailable, match="no bf16 arithmetic, choose fp32"):
        load_runtime("torchscript", toy_checkpoint, precision="bf16")


def test_crops_stay_as_they_are_and_results_are_separate(toy_checkpoint, crops):
    runtime = load_runtime("torchscript", toy_checkpoint, threads=1)
    before = crops.copy()
    first = runtime(crops[:1])
    kept = first.copy()
    runtime(crops[1:2])
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(crops, before)


def test_threads_are_the_chosen_number(toy_checkpoint):
    load_runtime("eager", toy_checkpoint, threads=1)
    assert torch.get_num_threads() == 1


def test_users_see_no_deprecation_warning(toy_checkpoint, crops):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_runtime("torchscript", toy_checkpoint, threads=1)(crops[:1])


def test_unknown_names(toy_checkpoint):
    with pytest.raises(ConfigError, match="runtime: 'cuda' is unknown, choose one of eager, torchscript"):
        load_runtime("cuda", toy_checkpoint)
    with pytest.raises(ConfigError, match="precision: 'fp8' is unknown, choose one of fp32, bf16"):
        load_runtime("eager", toy_checkpoint, precision="fp8")
