"""What eight bits keep of numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deep3d.runtime.graph import Graph
from deep3d.runtime.onnx import OnnxNetwork
from deep3d.runtime.ranges import LEVELS, Range, best_range


def rounded(values: np.ndarray, kept: Range) -> np.ndarray:
    """What ONNX Runtime keeps of them."""
    graph = Graph("rounding", {"values": kept})
    network = OnnxNetwork(graph.serialize({"kept": graph.kept("values", graph.input("values", ("N",)))}))
    return network(values.astype(np.float32))[0]


def test_what_is_never_negative_has_all_levels_above_zero():
    kept = best_range(np.random.default_rng(2).random((1, 5000)).astype(np.float32))
    assert kept.zero == 0
    assert kept.high == pytest.approx(1, abs=0.01)


def test_zero_is_a_level_of_its_own():
    kept = best_range(np.random.default_rng(2).normal(0.3, 1, (1, 5000)))
    assert 0 < kept.zero < LEVELS
    assert rounded(np.zeros(1), kept) == 0
    assert_allclose(rounded(np.array([kept.low, kept.high]), kept), [kept.low, kept.high], atol=float(kept.step))


def test_rare_large_values_are_cut_off():
    values = np.append(np.random.default_rng(2).random(500_000), 1.5)
    kept = best_range(values[None])
    assert kept.high < 1.1
    whole = Range(0.0, 1.5)
    assert np.square(rounded(values, kept) - values).sum() < np.square(rounded(values, whole) - values).sum()


def test_an_input_of_large_values_does_not_have_the_range_for_itself():
    inputs = np.random.default_rng(2).random((20, 5000))
    inputs[7] *= 1000
    assert best_range(inputs).high < 20


def test_numbers_that_are_all_zero_have_a_range_too():
    assert best_range(np.zeros((2, 10))).is_sound


@pytest.mark.parametrize("ends", [(0.0, 0.0), (0.1, 1.0), (-1.0, -0.5), (0.0, np.inf), (np.nan, 1.0), (0.0, 1e-46)])
def test_ends_that_are_no_range(ends):
    assert not Range(*ends).is_sound
