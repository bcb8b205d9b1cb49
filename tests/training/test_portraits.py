"""Portraits for fine-tuning."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from deep3d.errors import DatasetError
from deep3d.landmarks import MIRROR
from deep3d.training.portraits import Portraits, mirrored_landmarks
from deep3d.training.regressor.portrait_stream import PortraitStream


def test_mirroring_twice_changes_nothing():
    points = np.random.default_rng(0).uniform(0, 100, (68, 2))
    assert_array_equal(np.array(MIRROR)[list(MIRROR)], np.arange(68))
    assert np.abs(mirrored_landmarks(mirrored_landmarks(points, 120), 120) - points).max() < 1e-9


def test_a_folder_without_references_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"landmarks\.npz"):
        Portraits(tmp_path)


def test_a_folder_that_is_not_there_says_how_to_do_without(tmp_path):
    with pytest.raises(DatasetError, match="remove it from the configuration"):
        Portraits(tmp_path / "none")


def test_only_even_numbers_that_are_not_kept_for_choosing_are_trained_on(tmp_path):
    (tmp_path / "photos").mkdir()
    names = [f"p_{number:03d}.png" for number in (1, 2, 3, 16, 18, 32)]
    landmarks = np.arange(6)[:, None, None] + np.zeros((6, 68, 2))
    for name in names:
        Image.new("RGB", (64, 64)).save(tmp_path / "photos" / name)
    np.savez(tmp_path / "landmarks.npz", names=np.array(names), mediapipe68=landmarks)
    assert Portraits(tmp_path).names == ("p_002.png", "p_018.png")


def test_which_portraits_come_depends_on_the_seed_alone(shared):
    batches = []
    for workers in (1, 2):
        with PortraitStream(shared / "portraits", 5, size=2, crop_size=32, workers=workers) as stream:
            batches.append([stream.batch() for _ in range(3)])
    for one, other in zip(*batches, strict=True):
        assert_array_equal(one[0], other[0])
        assert_array_equal(one[1], other[1])
    crops = [crops for crops, _ in batches[0]]
    assert not np.array_equal(crops[0], crops[1])


def test_batches_hold_even_portraits_with_their_landmarks(shared):
    crops, landmarks = Portraits(shared / "portraits").batch(np.random.default_rng(0), 3, 112)
    assert crops.shape == (3, 112, 112, 3)
    assert landmarks.shape == (3, 68, 2)
    eyes = landmarks[:, 42:48].mean(axis=1) - landmarks[:, 36:42].mean(axis=1)
    assert (eyes[:, 0] > 30).all() and (np.abs(eyes[:, 1]) < 30).all()
