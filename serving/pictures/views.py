"""Which pictures of a face there are: angles, sizes, backgrounds, names, and the files that they are drawn from.

Drawing them is drawing.py's, which loads what a web process does without.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PIL import Image

from serving.pictures import kept
from serving.store.storage import Storage

SMALLEST, LARGEST = 64, 2048  # pixels
MOST_VIEWS = 32  # pictures in one zip
MOST_PIXELS_AT_ONCE = 16 * 1024**2  # of all pictures of a zip that is made while somebody waits: a few seconds
JPEG_QUALITY = 92
VIDEO_PIXELS = 480
LOOKS = ("photo", "clay", "skin", "normals", "relit")
LIGHTS = ("studio", "overcast", "window", "sunset", "night")
BACKGROUNDS = {"white": (255, 255, 255), "grey": (233, 233, 233), "black": (0, 0, 0)}

HAIRED = ("photo", "skin", "relit")  # looks with hair, as in the viewer
BARE = "face_material.web.glb"  # the face without light, that relit ones are drawn from

View = tuple[float, float]  # yaw and pitch in degrees, as `deep3d.Pose` has them
Color = tuple[int, int, int]  # red, green and blue, 0 to 255


@dataclass(frozen=True)
class Look:
    """What the surface of a face shows."""

    name: str = LOOKS[0]
    light: str = LIGHTS[0]  # that relit faces stand in

    @property
    def label(self) -> str:
        """For names of files."""
        return f"{self.name}-{self.light}" if self.name == "relit" else self.name


PHOTO = Look()


@dataclass(frozen=True)
class FaceFiles:
    """The files that a face is drawn from in one look."""

    face_json: bytes
    surface: bytes = b""  # texture.png, albedo.png or face_material.web.glb; empty where the look needs none of them
    web_glb: bytes = b""  # whose second mesh is the hair; empty where there is none

    def to_bytes(self) -> bytes:
        """For another process."""
        parts = self.face_json, self.surface, self.web_glb
        return b"".join(len(part).to_bytes(8) + part for part in parts)

    @classmethod
    def from_bytes(cls, content: bytes) -> FaceFiles:
        """From what `to_bytes` gave."""
        parts, start = [], 0
        while start < len(content):
            end = start + 8 + int.from_bytes(content[start : start + 8])
            parts.append(content[start + 8 : end])
            start = end
        return cls(*parts)


def background_color(name: str) -> Color:
    """Red, green and blue of a background.

    Raises: ValueError, with a line for people.
    """
    if name in BACKGROUNDS:
        return BACKGROUNDS[name]
    if not re.fullmatch("[0-9a-fA-F]{6}", name):
        raise ValueError(f"background: give {', '.join(BACKGROUNDS)}, or six hexadecimal digits")
    red, green, blue = bytes.fromhex(name)
    return red, green, blue


def file_name(view: View, look: Look = PHOTO) -> str:
    """What the picture of a view is called."""
    yaw, pitch = view
    stem = "face" if look == PHOTO else f"face_{look.label}"
    return f"{stem}_yaw{yaw:+g}_pitch{pitch:+g}.jpg"


def files_of(storage: Storage, folder: str, look: Look = PHOTO) -> FaceFiles:
    """Those of the face in a folder of the storage.

    Raises: FileNotFoundError if the job has been deleted, or its light has not been taken off yet.
    """
    web = f"{folder}/face.web.glb"
    hair = storage.read(web) if look.name in HAIRED and storage.exists(web) else b""
    return FaceFiles(storage.read(f"{folder}/face.json"), _surface(storage, folder, look.name), hair)


def _surface(storage: Storage, folder: str, look: str) -> bytes:
    if look == "relit":
        content = kept.find(storage, folder, BARE)
        if content is None:
            raise FileNotFoundError(f"{folder}: {BARE}")
        return content
    pictures = {"photo": "texture.png", "skin": "albedo.png"}
    return storage.read(f"{folder}/{pictures[look]}") if look in pictures else b""


def front(storage: Storage, folder: str) -> bytes:
    """A JPG of the face from the front, 304 x 384 pixels: as overlay.jpg has it, in a tenth of the time of drawing it.

    Raises: FileNotFoundError if the job has been deleted.
    """
    with Image.open(io.BytesIO(storage.read(f"{folder}/overlay.jpg"))) as row:
        first = 2 * row.height  # two squares of the photo, then the face from the left, the front and the right
        width = (row.width - first) // 3
        return to_jpeg(row.convert("RGB").crop((first + width, 0, first + 2 * width, row.height)))


def takes_long(views: Sequence[View], size: int) -> bool:
    """Whether a zip of so many pictures should not be waited for."""
    return len(views) * size**2 > MOST_PIXELS_AT_ONCE


def zip_of(pictures: Iterable[tuple[View, bytes]], look: Look = PHOTO) -> bytes:
    """A zip of JPGs, each of a view."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:  # JPGs become no smaller
        for view, picture in pictures:
            file.writestr(file_name(view, look), picture)
    return archive.getvalue()


def to_jpeg(picture: Image.Image) -> bytes:
    """The file of a picture."""
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    return content.getvalue()
