"""Wide crops hold the aligned crop in their middle, and their masks and landmarks lie with it."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from deep3d.alignment import align
from deep3d.errors import PhotoUnreadable
from deep3d.landmarks import five_points
from deep3d.training.weak.augmentation import plain_crops
from deep3d.training.weak.photo_sources import LabelledPhoto, read_sources
from deep3d.training.weak.wide_crops import WideCrops, WideCropSet, batches_in_order, random_batches


def only_batch(photos: list[LabelledPhoto]) -> WideCrops:
    (batch,) = batches_in_order(WideCropSet(photos), len(photos))
    return batch


@pytest.mark.parametrize("zoom", [0.6, 3.7])
def test_the_middle_is_the_aligned_crop(photo_list, tmp_path, zoom):
    """Smaller and larger than the crop, with an edge of the photo inside of it."""
    source = read_sources([photo_list])[3]
    photo = Image.open(source.photo)
    photo = photo.resize((round(zoom * photo.width), round(zoom * photo.height)), Image.Resampling.BICUBIC)
    photo.save(tmp_path / "photo.png")
    points = (source.landmarks(254) + 0.5) * zoom - 0.5
    batch = only_batch([LabelledPhoto(tmp_path / "photo.png", points, None)])
    aligned = align(np.asarray(photo), five_points(points))
    crops = plain_crops(batch)
    difference = 255 * crops.images[0].permute(1, 2, 0).numpy() - aligned.image
    assert np.abs(difference).mean() < 0.1 and np.quantile(np.abs(difference), 0.999) <= 2
    assert_allclose(crops.landmarks[0], aligned.to_crop(points), atol=1e-3)


def test_masks_lie_on_their_photos(photo_list):
    """The faces are drawn on black, so the mask is where the picture is not."""
    photos = read_sources([photo_list])
    batch = only_batch(photos)
    lit, masked = batch.images.amax(dim=1) > 40, batch.attention[:, 0] > 128
    assert (masked & ~lit).sum() < 0.02 * masked.sum()
    assert masked.sum() > 0.5 * lit.sum()


def test_random_batches_follow_from_the_seed_alone(photo_list):
    crops = WideCropSet(read_sources([photo_list]))
    first, again, other = ([batch.landmarks for batch in random_batches(crops, 3, 2, 0, seed)] for seed in (1, 1, 2))
    assert len(first) == 2 and first[0].shape == (3, 68, 2)
    assert all((a == b).all() for a, b in zip(first, again))
    assert any((a != b).any() for a, b in zip(first, other))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_photo_that_cannot_be_read_is_named_in_one_line(photo_list, tmp_path: Path, workers):
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    broken = LabelledPhoto(tmp_path / "broken.jpg", np.zeros((68, 2)), None)
    with pytest.raises(PhotoUnreadable, match=r"broken\.jpg") as caught:
        list(random_batches(WideCropSet([broken]), 2, 1, workers, 0))
    assert "\n" not in str(caught.value)
