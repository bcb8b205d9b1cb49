"""Components are summed up as their basis would be, however few bits they have."""

import numpy as np
import pytest
import torch

from deep3d.face_model import Components

VERTICES = 1500  # more than a block of numbers


@pytest.mark.parametrize("count", [0, 3, 8, 9])
@pytest.mark.parametrize("kind", [np.float32, np.int16, np.int8])
def test_a_sum_is_that_of_the_basis(count, kind):
    generator = np.random.default_rng(count)
    values = generator.integers(-127, 128, (count, 3 * VERTICES)).astype(kind)
    components = Components(values, generator.uniform(0.5, 1.5, count).astype(np.float32))
    weights = generator.normal(size=(2, count)).astype(np.float32)
    expected = (weights.astype(np.float64) @ components.basis).reshape(2, VERTICES, 3)
    assert len(components) == count
    np.testing.assert_allclose(components(weights), expected, atol=1e-3)
    np.testing.assert_allclose(components.to_torch("cpu")(torch.as_tensor(weights)), expected, atol=1e-3)


def test_sixteen_bits_lose_next_to_nothing():
    basis = np.random.default_rng(1).normal(size=(5, 3 * VERTICES)).astype(np.float32)
    basis[3] = 0
    components = Components.rounded(basis)
    assert components.values.dtype == np.int16
    largest = np.abs(basis).max(axis=1, keepdims=True)
    assert (np.abs(components.basis - basis) <= largest / 65_000).all()
