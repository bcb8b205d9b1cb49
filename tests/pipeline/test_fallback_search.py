"""Guesses of where a face may be."""

import numpy as np
from numpy.testing import assert_allclose

from deep3d.alignment import STANDARD_POINTS, crop_parameters
from deep3d.pipeline.fallback_search import frames


def test_a_photo_is_searched_in_its_middle_and_to_either_side():
    guesses = frames(640, 480)
    middles = np.array([five.mean(axis=0) - STANDARD_POINTS[:, :2].mean(axis=0) for five in guesses])
    assert len(guesses) == 6
    assert set(np.round(middles[:, 0] / 10).astype(int)) == {20, 32, 44}
    assert_allclose(middles[:, 1], 240, atol=15)
    for five in guesses:
        assert 0.5 < 480 * crop_parameters(five, 640, 480).scale / 224 < 1.6


def test_a_doubtful_box_is_searched_too_as_a_face_and_as_a_part_of_one():
    guesses = frames(640, 480, np.array([100.0, 200, 160, 260]))
    width = [five[1, 0] - five[0, 0] for five in guesses[6:]]
    assert len(guesses) == 12
    assert_allclose(width, np.repeat([60 / 1.6, 60 / 0.8], 3) * 0.62, rtol=0.01)
    assert_allclose([guesses[7].mean(axis=0)[0], guesses[10].mean(axis=0)[0]], 130, atol=2)
    assert guesses[6][:, 0].mean() < 110 and guesses[11][:, 0].mean() > 170
