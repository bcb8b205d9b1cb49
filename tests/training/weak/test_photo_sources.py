"""Which photos are trained on, and where their landmarks are."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from deep3d.errors import DatasetError, LandmarksInvalid
from deep3d.training.weak.photo_sources import LabelledPhoto, read_sources, split


@pytest.fixture
def lists(photo_list: Path, tmp_path: Path) -> Path:
    """A copy of the photos, to be spoiled; gives the list of masks."""
    shutil.copytree(photo_list.parents[2], tmp_path / "copy")
    return tmp_path / "copy" / "datalist" / "train" / "masks.txt"


def test_a_list_is_relative_to_the_folder_of_datalist_and_its_landmarks_count_y_upward(photo_list, drawer, toy_vectors):
    photos = read_sources([photo_list])
    assert [photo.photo.name for photo in photos] == ["0.png", "1.png", "2.png", "3.png"]
    assert all(photo.mask is not None and photo.mask.parent.name == "mask" for photo in photos)
    expected = drawer(toy_vectors).landmarks.numpy() + [0, 20]
    assert_allclose([photo.landmarks(254) for photo in photos], expected, atol=1e-3)


def test_folders_and_lists_go_together_and_folders_give_what_may_be_trained_on(photo_list, tmp_path):
    (tmp_path / "photos").mkdir()
    for number in (1, 2, 16, 18):
        Image.new("RGB", (64, 64)).save(tmp_path / "photos" / f"p_{number:03d}.png")
    names = np.array([f"p_{number:03d}.png" for number in (1, 2, 16, 18)])
    np.savez(tmp_path / "landmarks.npz", names=names, mediapipe68=np.full((4, 68, 2), 7.0))
    photos = read_sources([photo_list, tmp_path])
    assert [photo.photo.name for photo in photos[4:]] == ["p_002.png", "p_018.png"]
    assert photos[4].mask is None
    assert_allclose(photos[4].landmarks(64), 7.0)


def test_every_so_many_th_photo_is_held_out():
    photos = [LabelledPhoto(Path(str(k)), Path(), None) for k in range(7)]
    trained, held_out = split(photos, 3)
    assert [photo.photo.name for photo in held_out] == ["0", "3", "6"]
    assert [photo.photo.name for photo in trained] == ["1", "2", "4", "5"]
    assert split(photos, 0) == (photos, [])


def test_a_source_of_no_kind_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"photos\.csv: neither a folder of portraits nor a list"):
        read_sources([tmp_path / "photos.csv"])


def test_what_a_list_lacks_is_named(lists):
    (lists.parents[2] / "datasets" / "toy" / "mask" / "2.png").unlink()
    with pytest.raises(DatasetError, match=r"mask.2\.png: no such file"):
        read_sources([lists])
    (lists.parent / "images.txt").write_text("datasets/toy/0.png\n")
    with pytest.raises(DatasetError, match="4 masks, 1 images and 4 landmarks"):
        read_sources([lists])
    (lists.parent / "landmarks.txt").unlink()
    with pytest.raises(DatasetError, match=r"landmarks\.txt: cannot be read"):
        read_sources([lists])


def test_landmarks_that_are_none_are_named(lists):
    photo = read_sources([lists])[1]
    (lists.parents[2] / "datasets" / "toy" / "landmarks" / "1.txt").write_text("1 2\n3 4\n")
    with pytest.raises(LandmarksInvalid, match=r"1\.txt: holds an array of \(2, 2\)"):
        photo.landmarks(254)
