"""Files of 68 landmarks: iBUG's .pts, tables of numbers, JSON and numpy arrays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deep3d.errors import LandmarksInvalid


def read_landmarks68(path: str | Path) -> np.ndarray:
    """The (68, 2) landmarks of a file, in photo pixels that count from the centre of the top-left one.

    `.pts` counts pixels from 1, as the iBUG annotations do. `.json` is a list of 68 pairs, or an object that has one as
    `landmarks68`, such as face.json. `.txt` and `.csv` have a pair in each row, `.npy` is the array itself.

    Raises: LandmarksInvalid naming the file.
    """
    path = Path(path)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise LandmarksInvalid(f"{path}: not a kind of landmark file that is known; give one of {', '.join(_READERS)}")
    try:
        points = np.asarray(read(path), np.float64)
    except OSError as error:
        raise LandmarksInvalid(f"{path}: cannot be read ({error.strerror}); give a file of 68 landmarks") from error
    except (ValueError, TypeError, KeyError, EOFError) as error:
        reason = str(error).partition("\n")[0]
        raise LandmarksInvalid(f"{path}: not a file of 68 landmarks ({reason}); write x and y of each") from error
    if points.shape != (68, 2):
        raise LandmarksInvalid(f"{path}: holds an array of {points.shape}, 68 landmarks of x and y are needed")
    if not np.isfinite(points).all():
        raise LandmarksInvalid(f"{path}: landmark {1 + int(np.argwhere(~np.isfinite(points))[0, 0])} is not finite")
    return points


def _pts(path: Path) -> list[list[float]]:
    body = path.read_text(encoding="utf-8").partition("{")[2].partition("}")[0]
    return [[float(value) - 1 for value in line.split()] for line in body.splitlines() if line.strip()]


def _json(path: Path) -> Any:
    content = json.loads(path.read_text(encoding="utf-8"))
    return content["landmarks68"] if isinstance(content, dict) else content


def _table(path: Path) -> list[list[float]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [[float(value) for value in line.replace(",", " ").split()] for line in lines if line.strip()]


def _npy(path: Path) -> np.ndarray:
    return np.load(path, allow_pickle=False)


_READERS: dict[str, Callable[[Path], Any]] = {
    ".pts": _pts,
    ".json": _json,
    ".txt": _table,
    ".csv": _table,
    ".npy": _npy,
}
