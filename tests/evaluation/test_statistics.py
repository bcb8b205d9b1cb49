"""What is told of lists of errors."""

import numpy as np
import pytest

from deep3d.evaluation.statistics import worst_over_best


def test_the_ratio_is_that_of_the_groups_farthest_apart():
    generator = np.random.default_rng(5)
    errors = {name: mean + generator.normal(0, 0.1, 400) for name, mean in (("a", 1.0), ("b", 1.5), ("c", 1.2))}
    errors["b"][7] = np.nan  # a face that was not found
    ratio = worst_over_best(errors)
    assert ratio is not None and (ratio.worst, ratio.best) == ("b", "a")
    assert ratio.value == pytest.approx(1.5, abs=0.02)
    # delta method: the relative variances of the two means add up
    half_width = 1.96 * ratio.value * np.hypot(0.1 / 1.5, 0.1 / 1.0) / np.sqrt(400)
    assert [ratio.low, ratio.high] == pytest.approx([ratio.value - half_width, ratio.value + half_width], rel=0.005)


@pytest.mark.parametrize(
    "errors",
    [
        {},
        {"a": np.array([1.0, 2.0])},
        {"a": np.array([1.0, 2.0]), "b": np.array([3.0])},
        {"a": np.array([1.0, 2.0]), "b": np.full(3, np.nan)},
        {"a": np.array([1.0, 2.0]), "b": np.zeros(3)},
        {"a": np.array([1.0, 2.0]), "b": np.array([0.0, 0.0, 0.5])},
    ],
)
def test_there_is_no_ratio_of_less_than_two_groups_or_to_none_at_all(errors):
    assert worst_over_best(errors) is None
