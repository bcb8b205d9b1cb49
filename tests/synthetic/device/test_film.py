"""Development on the device against Pillow, picture by picture."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from deep3d.synthetic.device.film import compress, develop, reduced
from deep3d.synthetic.film import BLUR, REDUCE, SHARPEN, SMOOTH, Film, random_film
from deep3d.synthetic.scenes import each_array, single_precision

SIZE = 48


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Three (3, SIZE, SIZE, 3) uint8 pictures with soft and sharp parts."""
    rng = np.random.default_rng(0)
    small = rng.integers(30, 226, (3, 9, 9, 3), np.uint8)
    large = [np.asarray(Image.fromarray(p).resize((SIZE, SIZE), Image.Resampling.BICUBIC)).copy() for p in small]
    pictures = np.stack(large)
    pictures[:, 20:30, 12:40] = 255 - pictures[:, 20:30, 12:40]
    return pictures


@pytest.fixture
def plain() -> Film:
    """Film that changes nothing but the sharpness."""
    drawn = random_film(np.random.default_rng(1), 3, 2)
    film = each_array(each_array(drawn, single_precision), torch.from_numpy)
    one = torch.ones(3)
    return replace(
        film, gain=torch.ones(3, 3), gamma=one, saturation=one, contrast=one, brightness=0.45 * one, grain=0 * one
    )


NOISE = torch.from_numpy(np.random.default_rng(2).normal(size=(2, 256, 256)).astype(np.float32))


def developed(pictures: np.ndarray, film: Film) -> np.ndarray:
    photos = develop(torch.from_numpy(pictures).movedim(3, 1) / 255, film, NOISE)
    return 255 * photos.movedim(1, 3).numpy()


@pytest.mark.parametrize(
    ("kind", "change", "worst"),
    [
        (BLUR, lambda photo: photo.filter(ImageFilter.GaussianBlur(1.5)), 12),  # Pillow's is made of three boxes
        (REDUCE, lambda photo: photo.resize((20, 20), 2).resize((SIZE, SIZE), 2), 2),
        (SMOOTH, lambda photo: photo.filter(ImageFilter.SMOOTH), 1),
        (SHARPEN, lambda photo: photo.filter(ImageFilter.SHARPEN), 1),
    ],
)
def test_sharpness_changes_as_in_pillow(pictures, plain, kind, change, worst):
    film = replace(
        plain,
        softening=torch.full((3,), kind),
        blur=torch.full((3,), 1.5),
        reduction=torch.full((3,), 20.5 / SIZE),
    )
    found = developed(pictures, film)
    expected = np.stack([np.asarray(change(Image.fromarray(picture))) for picture in pictures]).astype(float)
    inner = (slice(None), slice(2, -2), slice(2, -2))  # Pillow's filters leave the border as it was
    assert np.abs(expected - pictures)[inner].max() > 20
    assert np.abs(found - expected)[inner].max() <= worst


def test_colours_are_graded_and_grain_comes_from_its_place_in_the_noise(pictures, plain):
    film = replace(
        plain,
        softening=torch.full((3,), BLUR),
        blur=torch.full((3,), 0.01),
        gain=torch.tensor([[0.5, 1, 1], [1, 1, 1], [1, 1, 1]]),
        saturation=torch.tensor([1.0, 0.0, 1.0]),
        grain=torch.tensor([0.0, 0.0, 0.01]),
        grain_noise=torch.tensor([0, 0, 1]),
        grain_offset=torch.tensor([[[0, 0]] * 3, [[0, 0]] * 3, [[250, 3], [0, 0], [1, 2]]]),
    )
    found = developed(pictures, film)
    np.testing.assert_allclose(found[0, ..., 0], pictures[0, ..., 0] / 2, atol=1e-3)
    np.testing.assert_allclose(found[0, ..., 1:], pictures[0, ..., 1:], atol=1e-3)
    np.testing.assert_allclose(found[1], np.repeat(found[1, ..., :1], 3, axis=2), atol=1e-3)
    grain = (found[2] - pictures[2]) / 2.55
    inner = (pictures[2] > 20) & (pictures[2] < 235)
    for channel, (row, column) in enumerate([(250, 3), (0, 0), (1, 2)]):
        noise = np.roll(NOISE[1].numpy(), (-row, -column), (0, 1))[:SIZE, :SIZE]
        np.testing.assert_allclose(grain[..., channel][inner[..., channel]], noise[inner[..., channel]], atol=1e-3)


def test_compression_is_like_that_of_jpeg_files(pictures):
    quality = np.array([30, 100, 90])
    photos = torch.from_numpy(pictures).movedim(3, 1) / 255
    found = 255 * compress(photos, quality).movedim(1, 3).numpy()
    np.testing.assert_allclose(found[1], pictures[1], atol=1e-4)
    for k in (0, 2):
        packed = BytesIO()
        Image.fromarray(pictures[k]).save(packed, "JPEG", quality=int(quality[k]))
        expected = np.asarray(Image.open(packed)).astype(float)
        assert np.abs(found[k] - expected).mean() < 0.25 * np.abs(expected - pictures[k]).mean()


def test_crops_become_smaller_by_means_of_their_pixels():
    crops = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 3), np.uint8)
    halves = reduced(torch.from_numpy(crops), 14).numpy()
    np.testing.assert_allclose(halves, crops.reshape(2, 14, 2, 14, 2, 3).mean(axis=(2, 4)), atol=0.51)
    box = np.stack([np.asarray(Image.fromarray(crop).resize((12, 12), Image.Resampling.BOX)) for crop in crops])
    uneven = reduced(torch.from_numpy(crops), 12).numpy()
    assert np.abs(uneven.astype(int) - box).mean() < 12  # Pillow rounds the borders of its boxes to whole pixels
    np.testing.assert_array_equal(reduced(torch.from_numpy(crops), 28).numpy(), crops)
