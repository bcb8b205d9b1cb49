"""Poses and crops of synthetic heads."""

from dataclasses import replace

import numpy as np
from numpy.testing import assert_allclose

from deep3d.camera import DEEP3D_CAMERA, place, project, rotation_matrix
from deep3d.fitting.pose import fit_pose
from deep3d.synthetic.viewpoint import random_standpoints


def head(rng: np.random.Generator, count: int) -> np.ndarray:
    """Points all over a head-sized ellipsoid's front."""
    points = rng.normal(size=(count, 90, 3))
    points /= np.linalg.norm(points, axis=2, keepdims=True)
    return (points * [0.8, 1.0, 0.9] * [1, 1, np.where(points[..., 2:] < 0, 0.3, 1)[0, 0, 0]]).astype(np.float32)


def test_crops_hold_the_face_and_labels_project_onto_it():
    rng = np.random.default_rng(5)
    count = 40
    vertices = head(rng, count)
    eyes_nose_mouth = np.array([[-0.3, 0.3, 0.7], [0.3, 0.3, 0.7], [0, 0, 0.95], [-0.25, -0.4, 0.7], [0.25, -0.4, 0.7]])
    five = np.repeat(eyes_nose_mouth[None].astype(np.float32), count, axis=0)

    standpoints = random_standpoints(rng, five)
    pixels, depth = standpoints.see(vertices)

    rotation, translation = fit_pose(vertices, pixels, standpoints.rotation)
    labels = project(place(vertices, rotation, translation))
    assert np.linalg.norm(labels - pixels, axis=2).mean(axis=1).max() < 6
    assert np.abs(np.median(pixels, axis=1) - [DEEP3D_CAMERA.column, DEEP3D_CAMERA.row]).max() < 100
    assert_allclose(standpoints.turn @ standpoints.turn.mT, np.tile(np.eye(3), (count, 1, 1)), atol=1e-5)
    assert np.linalg.norm(rotation_matrix(rotation) - standpoints.turn, axis=(1, 2)).max() < 1.0
    assert (depth > 1.5).all() and (depth < 27).all()


def test_a_decimetre_at_the_head_has_the_size_that_is_told():
    rng = np.random.default_rng(6)
    standpoints = random_standpoints(rng, head(rng, 8)[:, :5])
    across = standpoints.turn.mT[:, :, 0]  # the camera's x axis in head space
    pixels, _ = standpoints.see(np.stack([0.0005 * across, -0.0005 * across], axis=1))
    assert_allclose(1000 * np.linalg.norm(pixels[:, 0] - pixels[:, 1], axis=1), standpoints.pixels_per_dm, rtol=0.01)


def test_lenses_move_what_is_far_from_the_middle_of_the_photo_and_nothing_in_it():
    rng = np.random.default_rng(7)
    straight = replace(random_standpoints(rng, head(rng, 3)[:, :5]), barrel=np.zeros(3), rotation=np.zeros((3, 3)))
    bent = replace(straight, barrel=np.full(3, 0.1))
    points = np.array([[0.0, 0.0, 0.0], [0.7, 0.0, 0.0]]) - np.pad(straight.aside, ((0, 0), (0, 1)))[:, None]
    moved = bent.see(points)[0] - straight.see(points)[0]
    assert_allclose(moved[:, 0], 0, atol=1e-3)
    flat = 0.7 / straight.distance
    assert_allclose(moved[:, 1, 0], straight.scale * 0.1 * flat**3, rtol=1e-3, atol=1e-3)
