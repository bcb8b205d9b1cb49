"""Where the main light comes from, and what the head itself hides from it."""

import numpy as np
import pytest

from deep3d.face_model import default_face_model
from deep3d.fitting.shadows import main_light, reached
from deep3d.lighting import AMBIENT, harmonics
from deep3d.mesh import normalize


@pytest.fixture(scope="module")
def model():
    return default_face_model()


@pytest.mark.parametrize("toward", [(1, 0, 0.3), (-0.4, 0.8, 0.5), (0, -0.2, 1)])
def test_a_lamp_is_found_by_its_light(toward):
    toward = normalize(np.array(toward, float))
    normals = normalize(np.random.default_rng(1).normal(size=(500, 3)))
    lamp = np.maximum(normals @ toward, 0) + 0.3
    light = np.linalg.lstsq(harmonics(normals), lamp, rcond=None)[0]
    assert main_light(np.tile(light, (3, 1))) @ toward > 0.98


def test_light_from_everywhere_has_no_direction(model):
    light = np.eye(3, 9)[[0, 0, 0]] * AMBIENT
    assert not main_light(light).any()
    normals = model.normals(model.mean_shape[None])[0]
    assert (reached(model, model.mean_shape, normals, main_light(light)) == 1).all()


def test_a_nose_stands_in_the_way_of_a_lamp_from_the_side(model):
    normals = model.normals(model.mean_shape[None])[0]
    lit = reached(model, model.mean_shape, normals, normalize(np.array([1.0, 0.1, 0.25])))
    x, z = model.mean_shape[:, 0], model.mean_shape[:, 2]
    shadow = (lit < 0.5) & (model.skin > 0.5) & (z > 0.3) & (np.abs(x) < 0.6)
    assert (shadow & (x < -0.16)).sum() > 100  # on the cheek behind it
    assert (shadow & (x > 0.16)).sum() < 10


def test_what_is_turned_away_is_in_no_cast_shadow(model):
    normals = model.normals(model.mean_shape[None])[0]
    toward = np.array([0.0, 0.0, 1.0])
    lit = reached(model, model.mean_shape, normals, toward)
    assert lit[normals[:, 2] < -0.5].min() == 1
