"""The two frozen measuring sets: portraits with reference landmarks, and synthetic heads with scans."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol
from zipfile import BadZipFile

import numpy as np

from deep3d.errors import DatasetError

Half = Literal["tune", "report"]
"""Portraits with an even number calibrate, tune and choose; those with an odd number report."""

_REMAINDER = {"tune": 0, "report": 1}  # of a portrait's number divided by two


class LandmarkSet(Protocol):
    """N photos with known landmarks."""

    @property
    def photos(self) -> tuple[Path, ...]:
        """N files."""
        ...

    @property
    def landmarks(self) -> np.ndarray:
        """(N, 68, 2) photo pixels."""
        ...


@dataclass(frozen=True)
class PortraitSet:
    """N portraits of one half, each with the landmarks of the reference detector."""

    photos: tuple[Path, ...]  # N
    landmarks: np.ndarray  # (N, 68, 2) photo pixels


@dataclass(frozen=True)
class HeadSet:
    """N synthetic heads with S scan points each. Never to be trained or tuned on."""

    photos: tuple[Path, ...]  # N
    scans: np.ndarray  # (N, S, 3) surface points, posed, millimetres
    scan_landmarks: np.ndarray  # (51,) scan points at the inner landmarks
    landmarks: np.ndarray  # (N, 68, 2) photo pixels


def read_portraits(folder: str | Path, half: Half) -> PortraitSet:
    """Read one half of a folder with `landmarks.npz` (`names`, `mediapipe68`) and `photos`.

    Raises: DatasetError.
    """
    file = Path(folder) / "landmarks.npz"
    arrays = read_arrays(file, ("names", "mediapipe68"))
    names, landmarks = [str(name) for name in arrays["names"]], arrays["mediapipe68"].astype(np.float64)
    if landmarks.shape != (len(names), 68, 2):
        raise DatasetError(f"{file}: 'mediapipe68' is {landmarks.shape}, expected ({len(names)}, 68, 2); copy it again")
    if half not in _REMAINDER:
        raise DatasetError(f"half {half!r}: unknown half; use 'tune' or 'report'")
    chosen = [row for row, name in enumerate(names) if _number(file, name) % 2 == _REMAINDER[half]]
    if not chosen:
        raise DatasetError(f"{file}: no portrait of the {half!r} half; copy the data set again")
    return PortraitSet(find_set_photos(folder, [names[row] for row in chosen]), landmarks[chosen])


def read_heads(folder: str | Path) -> HeadSet:
    """Read a folder with `scans.npz` (`scan_mm`, `scan_landmarks51`, `landmarks68`) and `photos/head_NNN.jpg`

    Raises: DatasetError.
    """
    file = Path(folder) / "scans.npz"
    arrays = read_arrays(file, ("scan_mm", "scan_landmarks51", "landmarks68"))
    scans, rows = arrays["scan_mm"].astype(np.float64), arrays["scan_landmarks51"]
    landmarks = arrays["landmarks68"].astype(np.float64)
    if scans.ndim != 3 or scans.shape[2] != 3 or len(scans) == 0:
        raise DatasetError(f"{file}: 'scan_mm' is {scans.shape}, expected (heads, points, 3); copy it again")
    if rows.shape != (51,) or rows.min() < 0 or rows.max() >= scans.shape[1]:
        raise DatasetError(f"{file}: 'scan_landmarks51' must be 51 numbers below {scans.shape[1]}; copy it again")
    if landmarks.shape != (len(scans), 68, 2):
        raise DatasetError(f"{file}: 'landmarks68' is {landmarks.shape}, expected ({len(scans)}, 68, 2); copy it again")
    return HeadSet(
        find_set_photos(folder, [f"head_{index:03d}.jpg" for index in range(len(scans))]), scans, rows, landmarks
    )


def read_arrays(file: Path, keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The arrays of an npz file.

    Raises: DatasetError if the file or an array is missing or damaged.
    """
    if not file.is_file():
        raise DatasetError(f"{file}: no such file; give the folder of the data set")
    try:
        with file.open("rb") as stream, np.load(stream) as archive:
            missing = [key for key in keys if key not in archive]
            if missing:
                raise DatasetError(f"{file}: array {missing[0]!r} is missing; copy the data set again")
            return {key: archive[key] for key in keys}
    except (OSError, ValueError, TypeError, EOFError, BadZipFile) as error:
        raise DatasetError(f"{file}: damaged ({error}); copy the data set again") from error


def find_set_photos(folder: str | Path, names: list[str]) -> tuple[Path, ...]:
    """The files of these names in `photos/`.

    Raises: DatasetError if one is missing.
    """
    photos = tuple(Path(folder) / "photos" / name for name in names)
    missing = [photo for photo in photos if not photo.is_file()]
    if missing:
        raise DatasetError(f"{missing[0]}: photo missing, {len(missing)} in all; copy the data set again")
    return photos


def _number(file: Path, name: str) -> int:
    match = re.search(r"(\d+)\.\w+$", name)
    if match is None:
        raise DatasetError(f"{file}: photo name {name!r} ends in no number, so it belongs to no half; copy it again")
    return int(match[1])
