"""Portraits for fine-tuning."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deep3d.errors import DatasetError
from deep3d.landmarks import MIRROR
from deep3d.training.portraits import Portraits, mirrored_landmarks


def test_mirroring_twice_changes_nothing():
    points = np.random.default_rng(0).uniform(0, 100, (68, 2))
    assert_array_equal(np.array(MIRROR)[list(MIRROR)], np.arange(68))
    assert np.abs(mirrored_landmarks(mirrored_landmarks(points, 120), 120) - points).max() < 1e-9


def test_a_folder_without_references_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"landmarks\.npz"):
        Portraits(tmp_path, seed=0)


def test_batches_hold_even_portraits_with_their_landmarks(shared):
    crops, landmarks = Portraits(shared / "portraits", seed=0).batch(3, 112)
    assert crops.shape == (3, 112, 112, 3)
    assert landmarks.shape == (3, 68, 2)
    eyes = landmarks[:, 42:48].mean(axis=1) - landmarks[:, 36:42].mean(axis=1)
    assert (eyes[:, 0] > 30).all() and (np.abs(eyes[:, 1]) < 30).all()
