"""Files of 68 landmarks: iBUG's .pts, tables of numbers, JSON and numpy arrays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deep3d.errors import LandmarksInvalid
from deep3d.landmarks import Placement


def read_landmarks68(path: str | Path) -> np.ndarray:
    """The (68, 2) landmarks of a file, in photo pixels that count from the centre of the top-left one.

    `.pts` counts pixels from 1, as the iBUG annotations do. `.json` is a list of 68 pairs, or an object with such a
    list as `landmarks68`, `landmarks68_contour` or `landmarks68_mediapipe`, such as face.json; the first one is used.
    `.txt` and `.csv` have a pair in each row, `.npy` is the array itself.

    Raises: LandmarksInvalid naming the file.
    """
    path = Path(path)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise LandmarksInvalid(f"{path}: unknown kind of landmark file; give one of {', '.join(_READERS)}")
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


def told_placement(path: str | Path) -> Placement | None:
    """The placement of the 68 in a file for `read_landmarks68`, None if unknown.

    iBUG's `.pts` files follow the outline; face.json names its lists, and its first version had MediaPipe's.
    """
    path = Path(path)
    if path.suffix.lower() == ".pts":
        return "contour"
    content = json.loads(path.read_text(encoding="utf-8")) if path.suffix.lower() == ".json" else None
    if not isinstance(content, dict):
        return None
    if content.get("schema") == FIRST_SCHEMA:
        return "mediapipe"
    key = _key(content)
    return _LISTS[key] if key != "landmarks68" or "schema" in content else None


def _pts(path: Path) -> list[list[float]]:
    body = path.read_text(encoding="utf-8").partition("{")[2].partition("}")[0]
    return [[float(value) - 1 for value in line.split()] for line in body.splitlines() if line.strip()]


def _json(path: Path) -> Any:
    content = json.loads(path.read_text(encoding="utf-8"))
    return content[_key(content)] if isinstance(content, dict) else content


def _key(content: dict[str, Any]) -> str:
    return next((key for key in _LISTS if key in content), "landmarks68")


def _table(path: Path) -> list[list[float]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [[float(value) for value in line.replace(",", " ").split()] for line in lines if line.strip()]


def _npy(path: Path) -> np.ndarray:
    return np.load(path, allow_pickle=False)


FIRST_SCHEMA = "deep3d.face/1"
_LISTS: dict[str, Placement] = {
    "landmarks68": "fixed",
    "landmarks68_contour": "contour",
    "landmarks68_mediapipe": "mediapipe",
}
_READERS: dict[str, Callable[[Path], Any]] = {
    ".pts": _pts,
    ".json": _json,
    ".txt": _table,
    ".csv": _table,
    ".npy": _npy,
}
