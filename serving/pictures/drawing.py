"""Pictures and films of finished faces, drawn by the library's rasteriser from the stored files; it needs no torch."""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from deep3d import FaceCoefficients, Mesh, Pose, default_face_model, draw_view
from serving.store.storage import Storage

SMALLEST, LARGEST = 64, 2048  # pixels
MOST_VIEWS = 32  # pictures in one zip
MOST_PIXELS_AT_ONCE = 16 * 1024**2  # of all pictures of a zip that is made while somebody waits: a few seconds
JPEG_QUALITY = 92
BACKGROUNDS = {"white": (255, 255, 255), "grey": (233, 233, 233), "black": (0, 0, 0)}

FILM_PIXELS = 480
FILM_FRAMES = 72
FILM_RATE = 24  # frames in a second
_FILM_BACKGROUND = BACKGROUNDS["white"]

View = tuple[float, float]  # yaw and pitch in degrees, as `deep3d.Pose` has them

_KEPT_SIZES = (256, 512, 1024)  # pictures that are kept for the next who asks: few sizes, whole degrees
_one_at_a_time = threading.Lock()  # so that other requests find a processor, and few pictures are in memory


def background_color(name: str) -> tuple[int, int, int]:
    """Red, green and blue of a background.

    Raises: ValueError, with a line for people.
    """
    if name in BACKGROUNDS:
        return BACKGROUNDS[name]
    if not re.fullmatch("[0-9a-fA-F]{6}", name):
        raise ValueError(f"background: give {', '.join(BACKGROUNDS)}, or six hexadecimal digits")
    red, green, blue = bytes.fromhex(name)
    return red, green, blue


def file_name(view: View) -> str:
    """What the picture of a view is called."""
    yaw, pitch = view
    return f"face_yaw{yaw:+g}_pitch{pitch:+g}.jpg"


def snapshot(storage: Storage, folder: str, view: View, size: int, background: str) -> bytes:
    """A JPG of the face in a folder of the storage."""
    kept = size in _KEPT_SIZES and background in BACKGROUNDS and all(angle == round(angle) for angle in view)
    name = f"{folder}/snapshots/{size}_{background}_{file_name(view)}"
    if kept and storage.exists(name):
        return storage.read(name)
    with _one_at_a_time:
        mesh, texture = _face(storage, folder)
        picture = draw_view(mesh, texture, Pose(*view, 0), size, background_color(background))
        content = _jpeg(Image.fromarray(picture))
    if kept:
        storage.write(name, content)
    return content


def front(storage: Storage, folder: str) -> bytes:
    """A JPG of the face from the front, 304 x 384 pixels: as overlay.jpg has it, in a tenth of the time of drawing it.

    Raises: FileNotFoundError if the job has been deleted.
    """
    with Image.open(io.BytesIO(storage.read(f"{folder}/overlay.jpg"))) as row:
        first = 2 * row.height  # two squares of the photo, then the face from the left, the front and the right
        width = (row.width - first) // 3
        return _jpeg(row.convert("RGB").crop((first + width, 0, first + 2 * width, row.height)))


def takes_long(views: Sequence[View], size: int) -> bool:
    """Whether a zip of so many pictures should not be waited for."""
    return len(views) * size**2 > MOST_PIXELS_AT_ONCE


def zip_of(storage: Storage, folder: str, views: Sequence[View], size: int, background: str) -> bytes:
    """A zip of JPGs, one for each view."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:  # JPGs become no smaller
        for view in dict.fromkeys(views):
            file.writestr(file_name(view), snapshot(storage, folder, view, size, background))
    return archive.getvalue()


def turntable(storage: Storage, folder: str, kind: str) -> bytes:
    """The face turning once round, as `mp4` or `gif`; takes many seconds."""
    frames = _turn(*_face(storage, folder))
    return _mp4(frames) if kind == "mp4" else _gif(frames)


def _face(storage: Storage, folder: str) -> tuple[Mesh, np.ndarray]:
    """The mesh of a face in decimetres, and its texture."""
    content = json.loads(storage.read(f"{folder}/face.json"))
    values = {name: np.array([numbers], np.float32) for name, numbers in content["coefficients"].items()}
    model = _face_model()
    with Image.open(io.BytesIO(storage.read(f"{folder}/texture.png"))) as image:
        texture = np.asarray(image.convert("RGB"))
    return model.mesh(model.shape(FaceCoefficients(**values))[0]), texture


@lru_cache(maxsize=1)
def _face_model():
    return default_face_model()


def _turn(mesh: Mesh, texture: np.ndarray) -> Iterator[np.ndarray]:
    for yaw in np.linspace(0, 360, FILM_FRAMES, endpoint=False):
        with _one_at_a_time:
            frame = draw_view(mesh, texture, Pose(float(yaw), 0, 0), FILM_PIXELS, _FILM_BACKGROUND)
        yield frame


def _jpeg(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    return content.getvalue()


def _mp4(frames: Iterator[np.ndarray]) -> bytes:
    with TemporaryDirectory() as folder:  # the index comes first in the end, for which the file is read once more
        path = Path(folder) / "turntable.mp4"
        _write_mp4(path, frames)
        return path.read_bytes()


def _write_mp4(path: Path, frames: Iterator[np.ndarray]) -> None:
    import av  # 16 MB, for what hardly anybody asks for

    with av.open(str(path), "w", options={"movflags": "faststart"}) as film:
        stream = film.add_stream("libx264", rate=Fraction(FILM_RATE), options={"crf": "20", "preset": "veryfast"})
        stream.width = stream.height = FILM_PIXELS
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        film.mux(stream.encode())


def _gif(frames: Iterator[np.ndarray]) -> bytes:
    content = io.BytesIO()
    first, *others = [Image.fromarray(frame[::2, ::2]).quantize(128) for frame in frames]
    first.save(content, "GIF", save_all=True, append_images=others, duration=round(1000 / FILM_RATE), loop=0)
    return content.getvalue()
