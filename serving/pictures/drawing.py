"""Draw pictures and videos of faces from their files, by the library's rasteriser; it needs no torch."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from deep3d import (
    DressedHead,
    FaceCoefficients,
    Pose,
    WholeHead,
    default_face_model,
    in_clay,
    in_light,
    in_normals,
    in_photo,
    in_skin,
    read_hair,
    read_relightable_glb,
)
from serving.pictures.views import BACKGROUNDS, PHOTO, VIDEO_PIXELS, Color, FaceFiles, Look, View, to_jpeg

VIDEO_FRAMES = 72
VIDEO_RATE = 24  # frames in a second
_VIDEO_BACKGROUND = BACKGROUNDS["white"]


def draw(files: FaceFiles, view: View, size: int, color: Color, look: Look = PHOTO) -> bytes:
    """A JPG of a face before a background of a colour; `files` are those of the look."""
    return to_jpeg(Image.fromarray(_head(files, look).view(Pose(*view, 0), size, color)))


def turntable(files: FaceFiles, kind: str, look: Look = PHOTO) -> bytes:
    """The face turning once round, as `mp4` or `gif`; takes many seconds."""
    frames = _turn(_head(files, look))
    return _mp4(frames) if kind == "mp4" else _gif(frames)


def _head(files: FaceFiles, look: Look) -> DressedHead:
    """The head that some files describe."""
    content = json.loads(files.face_json)
    values = {name: np.array([numbers], np.float32) for name, numbers in content["coefficients"].items()}
    model = _face_model()
    vertices = model.shape(FaceCoefficients(**values))[0]
    hair = read_hair(files.web_glb) if files.web_glb else None
    if look.name == "clay":
        return in_clay(model, vertices)
    if look.name == "normals":
        return in_normals(model, vertices)
    if look.name == "relit":
        head, evened = read_relightable_glb(files.surface, vertices, model)
        return in_light(head, look.light, hair, evened)
    with Image.open(io.BytesIO(files.surface)) as image:
        texture = np.asarray(image.convert("RGB"))
    if look.name == "skin":
        return in_skin(model, vertices, texture, hair)
    return in_photo(WholeHead.of(model).mesh(vertices), texture, hair)


@lru_cache(maxsize=1)
def _face_model():
    return default_face_model()


def _turn(head: DressedHead) -> Iterator[np.ndarray]:
    for yaw in np.linspace(0, 360, VIDEO_FRAMES, endpoint=False):
        yield head.view(Pose(float(yaw), 0, 0), VIDEO_PIXELS, _VIDEO_BACKGROUND)


def _mp4(frames: Iterator[np.ndarray]) -> bytes:
    with TemporaryDirectory() as folder:  # the index comes first in the end, for which the file is read once more
        path = Path(folder) / "turntable.mp4"
        _write_mp4(path, frames)
        return path.read_bytes()


def _write_mp4(path: Path, frames: Iterator[np.ndarray]) -> None:
    import av  # 16 MB, for what hardly anybody asks for

    with av.open(str(path), "w", options={"movflags": "faststart"}) as video:
        stream = video.add_stream("libx264", rate=Fraction(VIDEO_RATE), options={"crf": "20", "preset": "veryfast"})
        stream.width = stream.height = VIDEO_PIXELS
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            video.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        video.mux(stream.encode())


def _gif(frames: Iterator[np.ndarray]) -> bytes:
    content = io.BytesIO()
    first, *others = [Image.fromarray(frame[::2, ::2]).quantize(128) for frame in frames]
    first.save(content, "GIF", save_all=True, append_images=others, duration=round(1000 / VIDEO_RATE), loop=0)
    return content.getvalue()
