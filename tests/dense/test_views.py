"""Wider crops: the camera and the matrix of a view agree."""

import numpy as np
from numpy.testing import assert_allclose

from deep3d.camera import CROP_SIZE, DEEP3D_CAMERA, project
from deep3d.dense.views import View


def test_the_camera_puts_points_where_the_matrix_does():
    view = View.about_the_middle(0.6, np.array([3.0, -5.0]))
    points = np.random.default_rng(1).normal(size=(1, 20, 3)).astype(np.float32) * 0.5
    before, after = project(points, DEEP3D_CAMERA)[0], project(points, view.camera(DEEP3D_CAMERA))[0]
    moved = before @ view.matrix[:2, :2].T + view.matrix[:2, 2]
    assert_allclose(after, moved, atol=1e-3)


def test_the_middle_moves_only_by_what_is_asked():
    view = View.about_the_middle(0.5, np.array([2.0, 4.0]))
    middle = (CROP_SIZE - 1) / 2
    assert_allclose((view.matrix @ [middle, middle, 1])[:2], [middle + 2, middle + 4])
