"""From the bytes of a photo to landmarks, vertices and files: in total and by step, one photo and eight at a time."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import sqrt
from pathlib import Path

import numpy as np
from PIL import Image

from deep3d.bench.figures import Section, compared, figure
from deep3d.bench.timing import counted, race
from deep3d.export import write_results
from deep3d.photo import read_photo
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.reconstruction import Reconstruction

PHOTOS = 8  # in a batch
PHONE_PIXELS = 12_000_000
PHONE_QUALITY = 92  # of JPEG
GRAIN = 6.0  # grey levels: makes the file 3 MB, like one of a phone; an enlarged photo alone is far easier to decode

Pipeline = Callable[[bytes], object]


class PhotoPath:
    """From the bytes of a photo to its landmarks and vertices, and the milliseconds of each step in each call."""

    def __init__(self, reconstructor: Reconstructor) -> None:
        self._reconstructor = reconstructor
        self.steps: dict[str, list[float]] = {}

    def __call__(self, content: bytes) -> Reconstruction:
        """Raises: PhotoError."""
        start = time.perf_counter()
        photo = read_photo(content)
        read = time.perf_counter()
        face = self._reconstructor(photo)
        found = time.perf_counter()
        _ = face.vertices, face.landmarks68
        end = time.perf_counter()
        ends = {"vertices and landmarks": 1000 * (end - found)}
        for step, lap in {"read": 1000 * (read - start), **face.timings_ms, **ends}.items():
            self.steps.setdefault(step, []).append(lap)
        return face


def landmark_section(
    reconstructor: Reconstructor,
    content: bytes,
    others: Mapping[str, Pipeline],
    base: str | None,
    skipped: tuple[str, ...],
    rounds: int,
) -> Section:
    """The path to landmarks and vertices, in turns with other pipelines; ratios refer to the one named as the base."""
    path = PhotoPath(reconstructor)
    whole, batch = "one photo", f"{PHOTOS} photos at once, each"
    contestants = {
        whole: partial(path, content),
        batch: partial(_together, reconstructor, [content] * PHOTOS),
        **{name: partial(pipeline, content) for name, pipeline in others.items()},
    }
    measured = {each.name: each for each in compared(race(contestants, rounds), base, {batch: PHOTOS})}
    steps = [figure(f"&emsp;{step}", counted(laps, rounds), "ms") for step, laps in path.steps.items()]
    height, width = read_photo(content).pixels.shape[:2]
    title = f"Photo of {width} x {height} pixels, from bytes to 68 landmarks and vertices"
    return Section(
        title, (measured[whole], *steps, measured[batch], *(measured[name] for name in others)), base, skipped
    )


def files_section(
    reconstructor: Reconstructor, with_hair: Reconstructor, content: bytes, folder: Path, rounds: int
) -> Section:
    """The path to files, which are written to the folder, by reconstructors without and with hair."""
    face = reconstructor(read_photo(content))
    _ = face.texture
    bald, hairy = "photo bytes to all files", "the same with hair"
    actions = {
        "photo bytes to textured face.glb": lambda: _written(reconstructor, content, folder / "glb", ["glb"]),
        bald: lambda: _written(reconstructor, content, folder / "all"),
        hairy: lambda: _written(with_hair, content, folder / "hair"),
        "&emsp;texture 1024 x 1024": lambda: replace(face).texture,  # a copy has computed nothing yet
        "&emsp;all files of a textured face": lambda: write_results(face, folder / "all"),
    }
    seconds = race(actions, rounds)
    added = figure("time that hair adds", [1000 * (b - a) for a, b in zip(seconds[bald], seconds[hairy])], "ms")
    size = figure("size of face.glb", [(folder / "glb" / "face.glb").stat().st_size / 1e6], "MB")
    return Section("Photo to files", (*compared(seconds, base=None), added, size))


def phone_photo(content: bytes) -> bytes:
    """A photo enlarged to 12 megapixels, as a JPEG with the grain of a small sensor."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    factor = sqrt(PHONE_PIXELS / (image.width * image.height))
    large = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC)
    pixels = np.asarray(large, np.float32)
    grain = np.random.default_rng(0).standard_normal(pixels.shape, np.float32)
    stream = io.BytesIO()
    noisy = np.clip(np.rint(pixels + GRAIN * grain), 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(stream, "JPEG", quality=PHONE_QUALITY)
    return stream.getvalue()


def _together(reconstructor: Reconstructor, contents: list[bytes]) -> None:
    for faces in reconstructor.reconstruct([read_photo(content) for content in contents]):
        _ = faces[0].vertices, faces[0].landmarks68


def _written(reconstructor: Reconstructor, content: bytes, folder: Path, *formats: list[str]) -> None:
    write_results(reconstructor(read_photo(content)), folder, *formats)
