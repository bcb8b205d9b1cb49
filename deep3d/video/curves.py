"""The curves of a video's faces for other programs: a table of all, and Live Link Face's CSV for one."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from deep3d.camera import Pose
from deep3d.errors import ExtraMissing, OutputNotWritable
from deep3d.face_model import FaceModel
from deep3d.video.expressions import ARKIT_NAMES, FaceCurves

COLUMNS = (
    *("frame", "time_s", "face", "yaw", "pitch", "roll"),
    *ARKIT_NAMES,
    *(f"{axis}{number}" for number in range(68) for axis in "xy"),
    "landmark_error_percent",
)
TABLE_SUFFIXES = (".parquet", ".csv")

_SIDED = "EyeBlink EyeLookDown EyeLookIn EyeLookOut EyeLookUp EyeSquint EyeWide".split()
LIVE_LINK_NAMES = (
    *(f"{name}Left" for name in _SIDED),
    *(f"{name}Right" for name in _SIDED),
    *"JawForward JawRight JawLeft JawOpen MouthClose MouthFunnel MouthPucker MouthRight MouthLeft".split(),
    *"MouthSmileLeft MouthSmileRight MouthFrownLeft MouthFrownRight MouthDimpleLeft MouthDimpleRight".split(),
    *"MouthStretchLeft MouthStretchRight MouthRollLower MouthRollUpper MouthShrugLower MouthShrugUpper".split(),
    *"MouthPressLeft MouthPressRight MouthLowerDownLeft MouthLowerDownRight MouthUpperUpLeft MouthUpperUpRight".split(),
    *"BrowDownLeft BrowDownRight BrowInnerUp BrowOuterUpLeft BrowOuterUpRight CheekPuff".split(),
    *"CheekSquintLeft CheekSquintRight NoseSneerLeft NoseSneerRight TongueOut".split(),
)
"""ARKit's 52 shapes in the order and spelling of the app."""
_TURNS = "HeadYaw HeadPitch HeadRoll LeftEyeYaw LeftEyePitch LeftEyeRoll RightEyeYaw RightEyePitch RightEyeRoll".split()


def write_table(path: Path, curves: Sequence[FaceCurves], model: FaceModel) -> None:
    """Write a row for each frame and face, in the order of frames and faces, as Parquet or CSV by the path's suffix.

    Raises: OutputNotWritable for another suffix; ExtraMissing for Parquet without PyArrow.
    """
    require_table(path)
    table = np.concatenate([_rows(each, model) for each in curves])
    table = table[np.lexsort([table[:, 2], table[:, 0]])]
    if path.suffix.lower() == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(
                [int(row[0]), round(row[1], 6), int(row[2]), *np.round(row[3:], 4).tolist()] for row in table
            )
        return
    import pyarrow  # pyright: ignore[reportMissingImports]
    import pyarrow.parquet  # pyright: ignore[reportMissingImports]

    whole = {"frame", "face"}
    kinds = [pyarrow.int64() if name in whole else pyarrow.float64() for name in COLUMNS]
    arrays = [pyarrow.array(column, kind, safe=False) for column, kind in zip(table.T, kinds)]
    pyarrow.parquet.write_table(pyarrow.table(arrays, names=list(COLUMNS)), str(path))


def require_table(path: Path) -> None:
    """Before the long work: whether a table can have that name.

    Raises: OutputNotWritable; ExtraMissing.
    """
    if path.suffix.lower() not in TABLE_SUFFIXES:
        raise OutputNotWritable(f"{path}: tables are written as {' or '.join(TABLE_SUFFIXES)}; choose such a name")
    if path.suffix.lower() == ".parquet":
        try:
            import pyarrow.parquet  # noqa: F401 # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise ExtraMissing(
                f"{path}: Parquet needs the package pyarrow; pip install 'deep3d[tables]', or choose .csv"
            ) from error


def _rows(curves: FaceCurves, model: FaceModel) -> np.ndarray:
    """(F, columns) of one person."""
    track = curves.track
    poses = np.array([_angles(track.pose(row)) for row in range(len(track))])
    landmarks = track.landmarks68(model).reshape(len(track), -1)
    who = np.full(len(track), track.person.number)
    return np.column_stack([track.frame, track.time, who, poses, curves.weights, landmarks, track.error])


def _angles(pose: Pose) -> tuple[float, float, float]:
    return pose.yaw, pose.pitch, pose.roll


def write_live_link(path: Path, curves: FaceCurves, rate: Fraction) -> None:
    """Write one person's curves as the app Live Link Face records them, for Unreal and MetaHuman.

    Time codes count frames of the video's mean rate. Turns are in radians, signed as `Pose` has them: yaw to the right
    of the picture, pitch up, roll to the right; those of the eyes are within the head, and eyes do not roll.
    """
    track = curves.track
    by_name: dict[str, np.ndarray] = dict(zip(ARKIT_NAMES, curves.weights.T))
    shapes = np.stack([by_name[name[0].lower() + name[1:]] for name in LIVE_LINK_NAMES], axis=1)
    head = np.radians([_angles(track.pose(row)) for row in range(len(track))])
    eyes = np.pad(curves.eyes, [(0, 0), (0, 0), (0, 1)]).reshape(len(track), -1)
    count = len(LIVE_LINK_NAMES) + len(_TURNS)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Timecode", "BlendShapeCount", *LIVE_LINK_NAMES, *_TURNS])
        for time, row in zip(track.time, np.column_stack([shapes, head, eyes])):
            writer.writerow([time_code(float(time), rate), count, *(f"{value:.8f}" for value in row)])


def time_code(time: float, rate: Fraction) -> str:
    """Hours, minutes, seconds, frames and thousandths of a frame, HH:MM:SS:FF.mmm, of a time in seconds."""
    second, frame = divmod(round(time * float(rate) * 1000), round(rate) * 1000)  # those of 29.97 count to 30
    minutes, second = divmod(second, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{second:02d}:{frame // 1000:02d}.{frame % 1000:03d}"
