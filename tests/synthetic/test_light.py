"""Random light against a slow integral."""

import numpy as np
from numpy.testing import assert_allclose

from deep3d.lighting import harmonics, irradiance
from deep3d.synthetic.light import gloss, lamp, random_lighting


def test_one_lamp_lights_like_a_clamped_cosine_up_to_the_second_band():
    rng = np.random.default_rng(0)
    direction = np.array([0.3, 0.5, np.sqrt(1 - 0.34)])
    normals = rng.normal(size=(4000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)

    second_order = harmonics(normals) @ lamp(direction)

    lambert = np.clip(normals @ direction, 0, None)
    assert np.abs(second_order - lambert).mean() < 0.05
    assert np.abs(second_order - lambert).max() < 0.1


def test_light_on_the_front_stays_in_the_range_that_photos_have():
    rng = np.random.default_rng(1)
    front = np.array([[[0.0, 0.0, 1.0]]])
    lighting, key = random_lighting(rng, 400)
    levels = irradiance(np.repeat(front, 400, axis=0), lighting).mean(axis=(1, 2))
    assert levels.min() > 0.4 and levels.max() < 1.6 and levels.std() > 0.1
    assert_allclose(np.linalg.norm(key, axis=1), 1, atol=1e-6)
    assert (key[:, 2] > 0).all() and (key[:, 1] > 0).mean() > 0.6  # mostly before and above


def test_gloss_is_brightest_between_lamp_and_camera():
    key = np.array([0.6, 0.0, 0.8])
    half = np.array([0.6, 0.0, 1.8]) / np.linalg.norm([0.6, 0.0, 1.8])
    normals = np.stack([half, [0, 0, 1], [0, 1, 0], -half]).astype(np.float32)
    shine = gloss(normals[None], key[None], np.array([1.0]), np.array([20.0]))[0]
    assert_allclose(shine[0], 1.0, atol=1e-5)
    assert shine[1] < shine[0] and shine[2] == 0 and shine[3] == 0
