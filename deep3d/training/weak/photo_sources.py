"""Training photos with 68 landmarks: the lists of Deep3DFaceRecon's data preparation, and folders of portraits.

A list is a file such as `datalist/train/masks.txt` with a mask's name in each line; `images.txt` and `landmarks.txt`
beside it correspond line by line. Names are relative to the folder that contains `datalist`. A folder of
portraits has `photos/` and `landmarks.npz`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deep3d.errors import DatasetError
from deep3d.fitting import read_landmarks68
from deep3d.training.portraits import training_portraits

LIST_ENDING = "masks.txt"


@dataclass(frozen=True)
class LabelledPhoto:
    """A photo, its landmarks, and its skin mask."""

    photo: Path
    points: np.ndarray | Path  # (68, 2) photo pixels, or a text file of them with y counted up from the last row
    mask: Path | None  # picture of the photo's size, white on skin; None to estimate it

    def landmarks(self, height: int) -> np.ndarray:
        """(68, 2) photo pixels, of a photo of that height.

        Raises: LandmarksInvalid.
        """
        if isinstance(self.points, np.ndarray):
            return self.points
        return read_landmarks68(self.points) * [1, -1] + [0, height - 1]


def read_sources(sources: Iterable[str | Path]) -> list[LabelledPhoto]:
    """All photos of some lists and folders; of folders only those for training.

    Raises: DatasetError naming what is missing.
    """
    photos: list[LabelledPhoto] = []
    for source in map(Path, sources):
        if source.is_dir():
            known = training_portraits(source)
            photos += [LabelledPhoto(photo, points, None) for photo, points in zip(known.photos, known.landmarks)]
        elif source.name.endswith(LIST_ENDING):
            photos += _read_list(source)
        else:
            raise DatasetError(f"{source}: neither a folder of portraits nor a list {LIST_ENDING}; name one")
    return photos


def split(photos: Sequence[LabelledPhoto], held_out: int) -> tuple[list[LabelledPhoto], list[LabelledPhoto]]:
    """Photos for training, and every `held_out`-th for measuring; none of these if it is 0."""
    if not held_out:
        return list(photos), []
    return [photo for k, photo in enumerate(photos) if k % held_out], list(photos[::held_out])


def _read_list(masks: Path) -> list[LabelledPhoto]:
    prefix = masks.name.removesuffix(LIST_ENDING)
    names = [_lines(masks.with_name(prefix + name)) for name in ("images.txt", "landmarks.txt", LIST_ENDING)]
    if len({len(lines) for lines in names}) > 1 or not names[0]:
        raise DatasetError(
            f"{masks}: {len(names[2])} masks, {len(names[0])} images and {len(names[1])} landmarks are listed, "
            "there must be as many of each and at least one; write the lists again"
        )
    root = masks.resolve().parents[2]
    rows = [[root / name for name in row] for row in zip(*names)]
    if missing := next((file for row in rows for file in row if not file.is_file()), None):
        raise DatasetError(f"{missing}: no such file, {masks.parent} lists it; prepare the photos again")
    return [LabelledPhoto(*row) for row in rows]


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); prepare the photos again") from error
