"""Measures of depth and normals."""

import numpy as np
import pytest

from deep3d.evaluation.depth import depth_errors, inside_face, mean_errors

SIZE = 60
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE]
HEIGHT = 20 - 0.02 * ((ROWS - 30) ** 2 + (COLUMNS - 30) ** 2)
UP = np.broadcast_to([0.0, 0.0, 1.0], (SIZE, SIZE, 3))
ALL = np.ones((SIZE, SIZE), bool)


def test_offset_is_told_apart_from_shape():
    errors = depth_errors(HEIGHT + 7, UP, HEIGHT, UP, ALL)
    assert errors is not None
    assert errors.offset == pytest.approx(7)
    assert (errors.rmse, errors.mae, errors.angle) == pytest.approx((0, 0, 0), abs=1e-9)
    assert errors.delta1 == 1


def test_scale_is_told_apart_too():
    errors = depth_errors(1.5 * HEIGHT, UP, HEIGHT, UP, ALL)
    assert errors is not None
    assert errors.rmse == pytest.approx(0.5 * HEIGHT.std())
    assert errors.scale_invariant == pytest.approx(0, abs=1e-9)


def test_thresholds_count_pixels_and_angles_are_degrees():
    wrong = HEIGHT + np.where(COLUMNS < 30, 1.5, -1.5)
    tipped = np.broadcast_to([0.0, np.sin(0.1), np.cos(0.1)], UP.shape)
    errors = depth_errors(wrong, tipped, HEIGHT, UP, ALL)
    assert errors is not None
    assert (errors.delta1, errors.delta2, errors.delta4) == (0, 1, 1)
    assert (errors.angle, errors.angle_median) == pytest.approx((np.degrees(0.1),) * 2)


def test_jumps_and_borders_are_no_inside():
    step = np.where(COLUMNS < 30, 0.0, 30.0)
    inside = inside_face(ALL, step)
    assert not inside[:, 28:32].any() and inside[30, 10] and not inside[0].any()


def test_a_face_of_few_pixels_is_not_measured():
    assert depth_errors(HEIGHT, UP, HEIGHT, UP, (ROWS < 2)) is None


def test_means_are_over_faces():
    both = [depth_errors(HEIGHT + k, UP, HEIGHT, UP, ALL) for k in (-2, 4)]
    assert mean_errors([each for each in both if each]).offset == pytest.approx(3)
