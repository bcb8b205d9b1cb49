"""What to draw from a video, with whose face, what to write beside it, and whether it can all be written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from deep3d.errors import CoefficientsInvalid, OutputNotWritable
from deep3d.face_model import FaceModel
from deep3d.reconstruction import Reconstruction
from deep3d.video.curves import require_table
from deep3d.video.smoothing import Smoothing
from deep3d.video.writing import require_video_suffix


@dataclass(frozen=True, eq=False)
class Actor:
    """The face of a result folder, animated with somebody else's expressions."""

    identity: np.ndarray  # (80,)
    albedo: np.ndarray  # (80,)
    texture: np.ndarray  # (h, w, 3) uint8
    fingerprint: str  # of the files

    @classmethod
    def read(cls, folder: Path, model: FaceModel) -> Actor:
        """From a folder that `deep3d reconstruct` wrote: its face.json and texture.png.

        Raises: CoefficientsInvalid if they are not there, damaged, or of another face model.
        """
        path = folder / "face.json"
        try:
            described = json.loads(path.read_text(encoding="utf-8"))
            identity, albedo = (
                np.array(described["coefficients"][name], np.float32) for name in ("identity", "albedo")
            )
            sha256 = described["face_model"]["sha256"]
            with Image.open(folder / "texture.png") as image:
                texture = np.asarray(image.convert("RGB"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CoefficientsInvalid(
                f"{folder}: no face.json and texture.png of a face there; give a folder that deep3d reconstruct wrote"
            ) from error
        if sha256 != model.info.sha256:
            raise CoefficientsInvalid(f"{path}: a face of another face model; reconstruct it with this one")
        state = path.stat()
        return cls(identity, albedo, texture, f"{path.resolve()} {state.st_size} {state.st_mtime_ns}")

    def acting(self, face: Reconstruction) -> Reconstruction:
        """The actor's face with the expression, the pose and the place of another one."""
        coefficients = replace(face.coefficients, identity=self.identity[None], albedo=self.albedo[None])
        return replace(face, coefficients=coefficients, merged_texture=self.texture)


@dataclass(frozen=True)
class VideoRequest:
    """What to draw from a video, and what to write beside it."""

    source: Path
    out: Path  # the video to write
    kind: str = "2d_sparse"  # one of KINDS
    start: float = 0.0  # seconds
    end: float | None = None
    smoothing: Smoothing = field(default_factory=Smoothing)
    table: Path | None = None
    glb: Path | None = None
    live_link: Path | None = None
    onto: Actor | None = None  # whose face is drawn with the expressions and the pose of those in the video

    @property
    def curves(self) -> bool:
        """Whether any of the files requested holds curves."""
        return any((self.table, self.glb, self.live_link))

    @property
    def outputs(self) -> dict[str, Path]:
        """The files to write, by their options on the command line."""
        paths = {"--out": self.out, "--table": self.table, "--glb": self.glb, "--livelink": self.live_link}
        return {option: path for option, path in paths.items() if path is not None}


def require_outputs(request: VideoRequest) -> None:
    """Check that each file requested can be written, and that none replaces another one or the video itself.

    Raises: OutputNotWritable; ExtraMissing for Parquet without PyArrow.
    """
    require_video_suffix(request.out)
    if request.table is not None:
        require_table(request.table)
    _require_suffix(request.glb, ".glb", "animated faces")
    _require_suffix(request.live_link, ".csv", "curves of Live Link Face")
    for path in request.outputs.values():
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise OutputNotWritable(f"{path}: cannot write a file there; choose another place")
        if _same(path, request.source):
            raise OutputNotWritable(f"{path}: this is the video to read; choose another name")
    _require_distinct(request.outputs, request.source)


def of_person(path: Path, number: int | str) -> Path:
    """Where the file of one of several people is: with -face-1, -face-2, ... before the suffix."""
    return path.with_name(f"{path.stem}-face-{number}{path.suffix}")


def _require_suffix(path: Path | None, suffix: str, what: str) -> None:
    if path is not None and path.suffix.lower() != suffix:
        raise OutputNotWritable(f"{path}: {what} are written as {suffix}; choose such a name")


def _require_distinct(outputs: Mapping[str, Path], source: Path) -> None:
    options = [*outputs]
    for place, option in enumerate(options):
        for other in options[:place]:
            if _same(outputs[option], outputs[other]):
                raise OutputNotWritable(f"{outputs[option]}: given for {other} and {option}; choose two names")
    taken = [*outputs.values(), source]
    for option in {"--glb", "--livelink"} & outputs.keys():
        path = outputs[option]
        for other in taken:
            if other.parent.resolve() == path.parent.resolve() and _is_of_person(other, path):
                raise OutputNotWritable(
                    f"{other}: {option} may write this name for one of several people; choose another"
                )


def _is_of_person(path: Path, of: Path) -> bool:
    return bool(re.fullmatch(rf"{re.escape(of.stem)}-face-\d+{re.escape(of.suffix)}", path.name))


def _same(path: Path, other: Path) -> bool:
    """Whether two paths lead to one file, through links too; neither has to exist."""
    if path.exists() and other.exists():
        return path.samefile(other)
    return path.resolve() == other.resolve()
