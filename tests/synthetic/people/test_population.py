"""Random people and the faces they make."""

import numpy as np
import pytest

from deep3d.face_model import default_face_model
from deep3d.synthetic.people.population import random_people

COUNT = 3000


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """Weights (COUNT,) of the expressions, by name."""
    names = default_face_model().expression_names
    return dict(zip(names, random_people(np.random.default_rng(0), COUNT, names).expression.T, strict=True))


def test_people_are_spread_as_the_model_says_and_a_little_wider():
    people = random_people(np.random.default_rng(1), COUNT, default_face_model().expression_names)
    assert people.identity.shape == people.albedo.shape == (COUNT, 80)
    np.testing.assert_allclose(people.identity.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(people.identity.std(axis=0), np.sqrt((0.7**2 + 0.7 * 1.3 + 1.3**2) / 3), atol=0.06)
    assert np.abs(people.albedo).max() <= 2.5


def test_weights_of_named_expressions_are_shares(weights):
    named = np.stack(list(weights.values())[:53])
    assert named.min() >= 0 and named.max() <= 1
    assert (named.max(axis=1) > 0.4).all()  # every one of them is met


def test_four_in_ten_smile_with_both_sides_and_squint_with_it(weights):
    smiling = weights["mouthSmile_L"] > 0.15
    assert 0.38 < smiling.mean() < 0.6
    sides = np.corrcoef(weights["mouthSmile_L"], weights["mouthSmile_R"])[0, 1]
    assert sides > 0.9
    assert weights["cheekSquint_L"][smiling].mean() > 2 * weights["cheekSquint_L"][~smiling].mean()


def test_eyes_look_the_same_way_and_blink_together_but_for_a_wink(weights):
    left = weights["eyeLookOut_L"] - weights["eyeLookIn_L"]
    right = weights["eyeLookOut_R"] - weights["eyeLookIn_R"]
    np.testing.assert_allclose(left, -right, atol=1e-6)
    assert 0.25 < (left == 0).mean() < 0.35
    differ = np.abs(weights["eyeBlink_L"] - weights["eyeBlink_R"]) > 0.3
    assert 0.01 < differ.mean() < 0.05
    assert 0.05 < (weights["eyeBlink_L"] > 0.84).mean() < 0.13


def test_correctives_follow_from_the_weights_that_they_correct(weights):
    np.testing.assert_allclose(weights["jawArc"], 4 * weights["jawOpen"] * (1 - weights["jawOpen"]), atol=1e-6)
    blink, down = weights["eyeBlink_L"], weights["eyeLookDown_L"]
    np.testing.assert_allclose(weights["blinkLookDown_L"], blink * down, atol=1e-6)
    assert (weights["cheekRaiser_R"] <= weights["mouthSmile_R"] + 1e-6).all()
