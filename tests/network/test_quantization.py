import numpy as np
import pytest

from deep3d.network.architecture import TRUNKS
from deep3d.network.quantization import MULTIPLIED, dequantize, fold_batch_norms, multiplied, quantize


@pytest.fixture
def weight() -> np.ndarray:
    """Channels of very different size and with long tails, one of them with an outlier, one of zeros."""
    weight = np.random.default_rng(8).laplace(size=(5, 512, 3, 3)) * np.array([1, 1e-3, 50, 1, 0])[:, None, None, None]
    weight[3, 0, 0, 0] = 20
    return weight.astype(np.float32)


def squared_errors(weight: np.ndarray, restored: np.ndarray) -> np.ndarray:
    return np.square(weight - restored).sum(axis=(1, 2, 3))


def test_every_channel_keeps_its_own_precision(weight):
    integers, scale = quantize(weight)
    restored = dequantize(integers, scale)
    assert integers.dtype == np.int8 and restored.dtype == np.float32
    relative = np.sqrt(squared_errors(weight, restored)[:3] / np.square(weight[:3]).sum(axis=(1, 2, 3)))
    assert relative.max() < 0.02  # the largest of them is some ten standard deviations
    assert not restored[4].any()


def test_error_is_no_larger_than_with_scales_of_the_largest_weight(weight):
    largest = np.abs(weight).max(axis=(1, 2, 3)) / 127
    with np.errstate(invalid="ignore"):
        plain = np.nan_to_num(np.rint(weight / largest[:, None, None, None])) * largest[:, None, None, None]
    chosen = squared_errors(weight, dequantize(*quantize(weight)))
    assert (chosen <= squared_errors(weight, plain) * (1 + 1e-5)).all()
    assert chosen[0] < 0.995 * squared_errors(weight, plain)[0]


def test_products_of_multiplied_weights_fit_into_sixteen_bits(weight):
    """AVX2 adds two of them, with activations of up to 255, before it widens the sum."""
    stored = quantize(weight)
    for levels, scale in (multiplied(*stored), quantize(weight, MULTIPLIED)):
        assert levels.dtype == np.int8 and 2 * 255 * int(np.abs(levels).max()) <= np.iinfo(np.int16).max
        errors = squared_errors(weight, dequantize(levels, scale))
        assert (errors <= 5.5 * squared_errors(weight, dequantize(*stored)) + 1e-9).all()


def test_folding_twice_changes_nothing_more(toy_checkpoint_arrays):
    once = fold_batch_norms(TRUNKS["resnet18"], toy_checkpoint_arrays)
    twice = fold_batch_norms(TRUNKS["resnet18"], once)
    assert once.keys() == toy_checkpoint_arrays.keys()
    for name, value in once.items():
        np.testing.assert_allclose(twice[name], value, rtol=1e-6)
