"""Augmented crops: landmarks and masks move with the picture."""

import pytest
import torch

from deep3d.landmarks import MIRROR
from deep3d.training.weak.augmentation import Augmenter, plain_crops, regressor_input
from deep3d.training.weak.config import Augmentation
from deep3d.training.weak.photo_sources import read_sources
from deep3d.training.weak.wide_crops import MARGIN, WIDE_SIZE, WideCrops, WideCropSet, batches_in_order


@pytest.fixture(scope="module")
def wide(photo_list) -> WideCrops:
    """The faces of the list."""
    (batch,) = batches_in_order(WideCropSet(read_sources([photo_list])), 4)
    return batch


def dots(count: int) -> WideCrops:
    """Black pictures with a white spot of 5 x 5 pixels at each of some landmarks, the others in the middle."""
    images = torch.zeros(count, 3, WIDE_SIZE, WIDE_SIZE, dtype=torch.uint8)
    landmarks = torch.full((count, 68, 2), 160.0)
    for k, (x, y) in {30: (150, 170), 36: (120, 130), 8: (170, 220)}.items():
        images[:, :, y - 2 : y + 3, x - 2 : x + 3] = 255
        landmarks[:, k] = torch.tensor([x, y], dtype=torch.float32)
    return WideCrops(images, images[:, :1], landmarks)


def test_spots_stay_under_their_landmarks():
    torch.manual_seed(0)
    crops = Augmenter(Augmentation(shift=12, scale=0.15, turn=15))(dots(8))
    for picture in (crops.images[:, 0], crops.attention):
        for face, landmarks in zip(picture, crops.landmarks):
            seen = [face[y, x] for k in (30, 36, 45, 8) for x, y in [landmarks[k].round().int().tolist()]]
            assert sum(float(value) > 0.5 for value in seen) >= 3  # 36 turns into 45 where mirrored
    sides = {bool(landmarks[36, 0] < landmarks[30, 0]) for landmarks in crops.landmarks}
    assert sides == {True}


def test_without_amounts_only_mirroring_moves_anything(wide):
    torch.manual_seed(0)
    crops = Augmenter(Augmentation(0, 0, 0))(wide)
    plain = plain_crops(wide).landmarks
    mirrored = plain[:, list(MIRROR)] * torch.tensor([-1, 1]) + torch.tensor([223, 0])
    same = (crops.landmarks - plain).abs().amax(dim=(1, 2)) < 1e-3
    turned = (crops.landmarks - mirrored).abs().amax(dim=(1, 2)) < 1e-3
    assert (same ^ turned).all()


def test_the_plain_crop_is_the_middle(wide):
    crops = plain_crops(wide)
    assert crops.images.shape == (4, 3, 224, 224) and crops.attention.shape == (4, 224, 224)
    assert float((crops.images[:, :, 0, 0] * 255 - wide.images[:, :, MARGIN, MARGIN]).abs().max()) < 1e-3


def test_the_network_sees_averages_and_the_photo_stays_as_sharp_as_it_was(wide):
    plain = plain_crops(wide)
    seen = regressor_input(plain, 112)
    assert seen.shape == (4, 3, 112, 112)
    assert torch.allclose(seen[:, :, 3, 5], plain.seen[:, :, 6:8, 10:12].mean(dim=(2, 3)), atol=1e-6)
    torch.manual_seed(3)
    crops = Augmenter(Augmentation(0, 0, 0))(
        WideCrops(*(part.repeat(4, *[1] * (part.ndim - 1)) for part in (wide.images, wide.attention, wide.landmarks)))
    )
    assert (crops.seen != crops.images).any()
    assert crops.seen.min() >= 0 and crops.seen.max() <= 1
