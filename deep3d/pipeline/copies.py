"""Which photos of a person show a picture again: copies in another size or quality, and mirror images.

A copy tells nothing new: counted as another photo, it would make its face surer and outvote others. Crops are compared
small and grey, up to brightness and contrast, and a pixel's shift, for the detector does not find copies in quite the
same place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIDE = 28  # pixels of the small crops
ALIKE = 0.96
"""Correlation of small crops from which they show one picture. Of 8 portraits, halved, grey, a third brighter, mirrored
or as JPEG of quality 20, the least is 0.964; of pairs of 26 people 0.66 is the most, of 24 pictures of a scanned head,
from other sides or in other lights, 0.904."""
SHIFTS = (-1, 0, 1)  # small pixels


@dataclass(frozen=True)
class Copy:
    """A photo that shows another one's picture."""

    of: int  # number of that other photo
    mirrored: bool


def find_copies(crops: np.ndarray, sizes: np.ndarray) -> dict[int, Copy]:
    """The copies among photos with crops (B, 224, 224, 3) uint8, by number.

    Of those alike the picture is the one with the largest face, for its texture; `sizes` (B,) are those of the faces in
    photo pixels. The first one wins among those of about the same size.
    """
    small = _small(crops)
    pictures: list[int] = []
    copies: dict[int, Copy] = {}
    for number in np.argsort(-np.round(np.log2(sizes)), kind="stable").tolist():
        for mirrored in (False, True):
            seen = small[number][:, ::-1] if mirrored else small[number]
            alike = [picture for picture in pictures if _correlation(small[picture], seen) > ALIKE]
            if alike:
                copies[number] = Copy(alike[0], mirrored)
                break
        else:
            pictures.append(number)
    return copies


def _small(crops: np.ndarray) -> np.ndarray:
    """(B, SIDE, SIDE) float32 greys of (B, S, S, 3) crops: means of blocks."""
    block = crops.shape[1] // SIDE
    return crops.reshape(len(crops), SIDE, block, SIDE, block, 3).mean(axis=(2, 4, 5), dtype=np.float32)


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """The largest of two small crops over the shifts; 0 for pictures of one colour."""
    most = 0.0
    inner = first[1:-1, 1:-1] - first[1:-1, 1:-1].mean()
    for down in SHIFTS:
        for right in SHIFTS:
            part = second[1 + down : SIDE - 1 + down, 1 + right : SIDE - 1 + right]
            part = part - part.mean()
            size = float(np.sqrt((inner**2).sum() * (part**2).sum()))
            most = max(most, float((inner * part).sum()) / size if size > 0 else 0.0)
    return most
