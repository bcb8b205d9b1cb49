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

from deep3d import FaceCoefficients, Hair, Mesh, Pose, WholeHead, default_face_model, draw_view, read_hair
from serving.pictures.views import BACKGROUNDS, VIDEO_PIXELS, Color, FaceFiles, View, to_jpeg

VIDEO_FRAMES = 72
VIDEO_RATE = 24  # frames in a second
_VIDEO_BACKGROUND = BACKGROUNDS["white"]


def draw(files: FaceFiles, view: View, size: int, color: Color) -> bytes:
    """A JPG of a face before a background of a colour."""
    mesh, texture, hair = _face(files)
    return to_jpeg(Image.fromarray(draw_view(mesh, texture, Pose(*view, 0), size, color, hair)))


def turntable(files: FaceFiles, kind: str) -> bytes:
    """The face turning once round, as `mp4` or `gif`; takes many seconds."""
    frames = _turn(*_face(files))
    return _mp4(frames) if kind == "mp4" else _gif(frames)


def _face(files: FaceFiles) -> tuple[Mesh, np.ndarray, Hair | None]:
    """The mesh of a whole head in decimetres, its texture, and its hair."""
    content = json.loads(files.face_json)
    values = {name: np.array([numbers], np.float32) for name, numbers in content["coefficients"].items()}
    model = _face_model()
    with Image.open(io.BytesIO(files.texture_png)) as image:
        texture = np.asarray(image.convert("RGB"))
    hair = read_hair(files.web_glb) if files.web_glb else None
    return WholeHead.of(model).mesh(model.shape(FaceCoefficients(**values))[0]), texture, hair


@lru_cache(maxsize=1)
def _face_model():
    return default_face_model()


def _turn(mesh: Mesh, texture: np.ndarray, hair: Hair | None) -> Iterator[np.ndarray]:
    for yaw in np.linspace(0, 360, VIDEO_FRAMES, endpoint=False):
        yield draw_view(mesh, texture, Pose(float(yaw), 0, 0), VIDEO_PIXELS, _VIDEO_BACKGROUND, hair)


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
