"""People drawn many at a time are those drawn one at a time."""

import numpy as np
import pytest

from deep3d.face_model import default_face_model
from deep3d.training.crowd import random_crowd
from deep3d.training.light import random_lighting, random_lights
from deep3d.training.population import random_people

COUNT = 3000


@pytest.fixture(scope="module")
def expressions() -> tuple[np.ndarray, np.ndarray]:
    """Of a crowd and of people one by one."""
    names = default_face_model().expression_names
    draws = (random_crowd, random_people)
    crowd, people = (draw(np.random.default_rng(k), COUNT, names).expression for k, draw in enumerate(draws))
    return crowd, people


def test_faces_of_a_crowd_move_as_often_as_far_and_together_like_those_of_people(expressions):
    crowd, people = expressions
    for statistic in (lambda e: (e > 0).mean(axis=0), lambda e: e.mean(axis=0), lambda e: e.std(axis=0)):
        np.testing.assert_allclose(statistic(crowd), statistic(people), atol=0.04)
    noise = np.random.default_rng(2).normal(
        0, 0.02, (2, COUNT, 64)
    )  # weights that hardly ever move have no correlation
    together = [np.corrcoef((e + n).T) for e, n in zip((crowd, people), noise)]
    assert np.abs(together[1] - np.eye(64)).max() > 0.7
    np.testing.assert_allclose(*together, atol=0.15)


def test_light_on_a_crowd_is_that_on_people():
    rng = np.random.default_rng(3)
    lights, keys = random_lights(rng, COUNT)
    alone = [random_lighting(rng) for _ in range(COUNT)]
    expected = np.stack([lighting for lighting, _ in alone])
    for low in (0.05, 0.5, 0.95):
        np.testing.assert_allclose(np.quantile(lights, low, axis=0), np.quantile(expected, low, axis=0), atol=0.08)
    np.testing.assert_allclose(keys.mean(axis=0), np.mean([key for _, key in alone], axis=0), atol=0.05)
    np.testing.assert_allclose(np.linalg.norm(keys, axis=1), 1, atol=1e-6)
