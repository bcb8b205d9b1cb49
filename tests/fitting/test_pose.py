"""Poses under the fixed camera."""

import numpy as np
from numpy.testing import assert_allclose

from deep3d.camera import place, project
from deep3d.fitting.pose import fit_pose


def head(rng: np.random.Generator, count: int) -> np.ndarray:
    """Points all over a head-sized ellipsoid's front."""
    points = rng.normal(size=(count, 90, 3))
    points /= np.linalg.norm(points, axis=2, keepdims=True)
    return (points * [0.8, 1.0, 0.9] * [1, 1, np.where(points[..., 2:] < 0, 0.3, 1)[0, 0, 0]]).astype(np.float32)


def test_fit_pose_finds_the_pose_that_made_the_pixels():
    rng = np.random.default_rng(3)
    vertices = head(rng, 5)
    rotation = rng.uniform(-0.9, 0.9, (5, 3)).astype(np.float32)
    translation = rng.uniform(-0.4, 0.4, (5, 3)).astype(np.float32)
    pixels = project(place(vertices, rotation, translation))

    found_rotation, found_translation = fit_pose(vertices, pixels, rotation + rng.normal(0, 0.05, (5, 3)))

    assert_allclose(found_rotation, rotation, atol=2e-3)
    assert_allclose(found_translation, translation, atol=2e-2)


def test_fit_pose_is_never_worse_than_the_true_turn_with_the_best_shift():
    rng = np.random.default_rng(4)
    vertices = head(rng, 8)
    rotation = rng.uniform(-1.2, 1.2, (8, 3)).astype(np.float32)
    near = place(vertices, rotation, np.zeros((8, 3), np.float32))
    pixels = near[..., :2] / (4.0 - near[..., 2:]) * [1, -1] * 500 + 112  # a close camera, not the label's

    found = fit_pose(vertices, pixels, rotation)

    error = np.linalg.norm(project(place(vertices, *found)) - pixels, axis=2).mean(axis=1)
    naive = project(near)
    naive = naive - naive.mean(axis=1, keepdims=True)
    naive = naive * (pixels.std(axis=(1, 2)) / naive.std(axis=(1, 2)))[:, None, None] + pixels.mean(
        axis=1, keepdims=True
    )
    assert (error <= np.linalg.norm(naive - pixels, axis=2).mean(axis=1) + 0.05).all()
