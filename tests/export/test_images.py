import io

import numpy as np
import pytest
from PIL import Image

from deep3d.export.images import jpeg, png


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (33, 64)])
def test_png_comes_back_as_it_was(shape):
    image = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    with Image.open(io.BytesIO(png(image))) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB")
        picture.load()
        np.testing.assert_array_equal(np.asarray(picture), image)


def test_png_checksums_are_right():
    with Image.open(io.BytesIO(png(np.zeros((4, 4, 3), np.uint8)))) as picture:
        picture.verify()


def test_jpeg_comes_back_nearly_as_it_was():
    rows, columns = np.mgrid[:64, :64]
    image = np.stack([rows * 4, columns * 4, rows + columns], axis=2).astype(np.uint8)
    with Image.open(io.BytesIO(jpeg(image))) as picture:
        assert np.abs(np.asarray(picture, float) - image).mean() < 2
