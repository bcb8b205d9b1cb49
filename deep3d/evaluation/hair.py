"""Masks of hair against outlines drawn by hand: intersection over union, in the photo's own pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from deep3d.errors import DatasetError, NoFaceFound
from deep3d.hair import HairMask
from deep3d.pipeline.reconstructor import Reconstructor

_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class HairFigures:
    """Overlaps of N photos."""

    overlaps: dict[str, float]  # intersection over union by name of the photo; 0 where no face or no hair is found

    def to_markdown(self) -> str:
        """A table."""
        values = np.array(list(self.overlaps.values()))
        rows = [
            ("mean", values.mean()),
            ("median", np.median(values)),
            ("smallest", values.min()),
            ("share of photos with 0.85 or more", (values >= 0.85).mean()),
        ]
        head = [f"| Hair in {len(values)} photos, intersection over union | |", "|---|---:|"]
        return "\n".join([*head, *(f"| {name} | {value:.3f} |" for name, value in rows)]) + "\n"


def measure_hair(
    reconstructor: Reconstructor, photos: Path, masks: Path, advance: Callable[[str, int, int], None]
) -> HairFigures:
    """Compare the hair of the largest face of each photo with the mask of the same name, NAME.png.

    The reconstructor must look for hair.

    Raises: DatasetError if there are no masks, or a photo is missing or has another size than its mask.
    """
    paths = sorted(masks.glob("*.png"))
    if not paths:
        raise DatasetError(f"{masks}: no masks there; give a folder of NAME.png, white where NAME.jpg shows hair")
    overlaps = {}
    for number, path in enumerate(paths):
        with Image.open(path) as picture:
            truth = np.asarray(picture.convert("L")) > 127
        overlaps[path.stem] = _overlap(reconstructor, _photo_of(photos, path), truth)
        advance("Hair", number + 1, len(paths))
    return HairFigures(overlaps)


def hair_in_photo(mask: HairMask, size: tuple[int, int]) -> np.ndarray:
    """(H, W) bool: which pixels of a photo of this height and width show hair."""
    lines = [(np.arange(size[axis]) - mask.origin[1 - axis]) / mask.step for axis in (0, 1)]
    places = np.meshgrid(*lines, indexing="ij")
    return np.asarray(ndimage.map_coordinates(mask.hair, places, order=1, mode="constant")) > 0.5


def _overlap(reconstructor: Reconstructor, photo: Path, truth: np.ndarray) -> float:
    try:
        face = reconstructor(photo)
    except NoFaceFound:
        return 0.0
    if face.hair_mask is None:
        return 0.0
    size = face.photo.pixels.shape[:2]
    if size != truth.shape:
        raise DatasetError(f"{photo}: {size[1]} x {size[0]} pixels, its mask {truth.shape[1]} x {truth.shape[0]}")
    found = hair_in_photo(face.hair_mask, size)
    return float((found & truth).sum() / max(int((found | truth).sum()), 1))


def _photo_of(folder: Path, mask: Path) -> Path:
    for suffix in _SUFFIXES:
        path = folder / (mask.stem + suffix)
        if path.exists():
            return path
    raise DatasetError(f"{folder}: no photo {mask.stem}.jpg for {mask}; give the folder of the photos")
