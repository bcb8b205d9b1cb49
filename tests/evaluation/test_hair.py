"""Overlaps of masks of hair with outlines."""

import numpy as np
import pytest
from PIL import Image

from deep3d.errors import DatasetError
from deep3d.evaluation.hair import HairFigures, hair_in_photo, measure_hair
from deep3d.hair import HairMask


def test_a_mask_lies_in_the_photo_where_its_origin_and_step_say():
    hair = np.zeros((10, 10), np.float32)
    hair[2:6, 3:7] = 1
    nothing = np.zeros_like(hair)
    mask = HairMask(hair, nothing, nothing == 0, nothing, nothing, nothing, nothing, np.array([4.0, 8.0]), 2.0)
    found = hair_in_photo(mask, (40, 30))
    rows, columns = np.nonzero(found)
    assert (rows.min(), columns.min()) == (12, 10) and found.shape == (40, 30)
    assert abs(found.sum() - 4 * hair.sum()) <= 30


def test_tables_name_mean_and_share():
    text = HairFigures({"a": 0.9, "b": 0.7}).to_markdown()
    assert "Hair in 2 photos" in text and "| mean | 0.800 |" in text and "| 0.500 |" in text


def test_missing_masks_and_photos_are_named(tmp_path):
    with pytest.raises(DatasetError, match="no masks there"):
        measure_hair(None, tmp_path, tmp_path, lambda *_: None)  # pyright: ignore[reportArgumentType]
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "anna.png")
    (tmp_path / "photos").mkdir()
    with pytest.raises(DatasetError, match=r"no photo anna\.jpg"):
        measure_hair(None, tmp_path / "photos", tmp_path, lambda *_: None)  # pyright: ignore[reportArgumentType]
