"""Aligned crops of faces with a margin, from which augmentation cuts its crops."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler

from deep3d.alignment import crop_parameters
from deep3d.camera import CROP_SIZE
from deep3d.errors import Deep3DError
from deep3d.landmarks import five_points
from deep3d.photo import read_photo
from deep3d.training.stopping import ignore_interrupt
from deep3d.training.weak.photo_sources import LabelledPhoto
from deep3d.training.weak.skin_attention import skin_attention

MARGIN = 48  # pixels round the crop
WIDE_SIZE = CROP_SIZE + 2 * MARGIN
_REACH = 3  # source pixels round the window that a bicubic filter may want


@dataclass(frozen=True)
class WideCrops:
    """B faces of the size they have in the crop; pixels count from the wide crop's own corner."""

    images: Tensor  # (B, 3, 320, 320) uint8 RGB, black beyond the photo
    attention: Tensor  # (B, 1, 320, 320) uint8, 255 on skin
    landmarks: Tensor  # (B, 68, 2) float32

    def to(self, device: torch.device) -> WideCrops:
        """The same on a device."""
        return WideCrops(
            *(part.to(device, non_blocking=True) for part in (self.images, self.attention, self.landmarks))
        )


class WideCropSet(Dataset[tuple[np.ndarray, ...] | Deep3DError]):
    """Reads a labelled photo, and reads or estimates its mask, on demand."""

    def __init__(self, photos: Sequence[LabelledPhoto]) -> None:
        self._photos = photos

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...] | Deep3DError:
        """One face; an error is a value, since a raised one would arrive from another process as a traceback."""
        try:
            return _wide_crop(self._photos[index])
        except Deep3DError as error:
            return error


def random_batches(crops: WideCropSet, size: int, batches: int, workers: int, seed: int) -> Iterator[WideCrops]:
    """So many batches of `size` faces, sampled evenly and read ahead by so many processes.

    Raises: PhotoError, LandmarksInvalid or DatasetError for unusable photos.
    """
    draw = RandomSampler(crops, replacement=True, num_samples=size * batches, generator=_generator(seed))
    yield from _checked(_loader(crops, size, workers, draw))


def batches_in_order(crops: WideCropSet, size: int) -> Iterator[WideCrops]:
    """All faces, `size` at a time.

    Raises: like `random_batches`.
    """
    yield from _checked(_loader(crops, size, 0, None))


def _loader(crops: WideCropSet, size: int, workers: int, sampler: RandomSampler | None) -> DataLoader:
    return DataLoader(
        crops,
        size,
        sampler=sampler,
        num_workers=workers,
        collate_fn=_collate,
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=ignore_interrupt,
    )


def _checked(batches: DataLoader) -> Iterator[WideCrops]:
    for batch in batches:
        if isinstance(batch, Deep3DError):
            raise batch
        yield batch


def _collate(faces: list[tuple[np.ndarray, ...] | Deep3DError]) -> WideCrops | Deep3DError:
    rows = []
    for face in faces:
        if isinstance(face, Deep3DError):
            return face
        rows.append(face)
    return WideCrops(*(torch.from_numpy(np.stack(part)) for part in zip(*rows)))


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _wide_crop(labelled: LabelledPhoto) -> tuple[np.ndarray, ...]:
    """Image (3, 320, 320), attention (1, 320, 320) and landmarks (68, 2) of one face, as in `WideCrops`."""
    photo = Image.fromarray(read_photo(labelled.photo).pixels)
    landmarks = labelled.landmarks(photo.height)
    crop = crop_parameters(five_points(landmarks), photo.width, photo.height)
    step = np.array([photo.width / crop.resized_width, photo.height / crop.resized_height])  # photo pixels per pixel
    corner = np.array([crop.left, crop.up]) - MARGIN
    points = ((landmarks + 0.5) / step - 0.5 - corner).astype(np.float32)
    image = np.asarray(_window(photo, corner * step, step))
    if labelled.mask is None:
        attention = skin_attention(image, points)
    else:
        mask = Image.fromarray(read_photo(labelled.mask).pixels).convert("L").resize(photo.size)
        attention = np.asarray(_window(mask, corner * step, step))
    return np.ascontiguousarray(image.transpose(2, 0, 1)), attention[None].copy(), points


def _window(photo: Image.Image, corner: np.ndarray, step: np.ndarray) -> Image.Image:
    """The wide crop whose corner lies at (x, y) of the photo and whose pixels span so many of the photo's."""
    reach = _REACH * max(1.0, float(step.max()))
    left, top = (math.floor(value - reach) for value in corner)
    right, bottom = (math.ceil(value + reach) for value in corner + WIDE_SIZE * step)
    near = photo.crop((left, top, right, bottom))  # black beyond the photo
    x, y = corner - [left, top]
    box = (x, y, x + WIDE_SIZE * step[0], y + WIDE_SIZE * step[1])
    return near.resize((WIDE_SIZE, WIDE_SIZE), Image.Resampling.BICUBIC, box)
