"""Dressed heads for the dense network's classes, drawn into files while it learns from those that are there.

Other processes draw them. The files stay, so a later call goes on with them.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from deep3d.dense.maps import reduced
from deep3d.errors import TrainingError
from deep3d.face_model import read_face_model
from deep3d.files.whole_file import written_whole
from deep3d.synthetic.backdrops import read_strips
from deep3d.synthetic.dressed_heads import DressedHeadGenerator
from deep3d.training.dense.examples import keep_surface, read_examples, surface_fields
from deep3d.training.helpers import helping_processes

FILE = 256  # heads in one file
FIRST = 2  # files to wait for before training begins
_CHUNK = 16  # drawn at a time


def dressed_type(size: int) -> np.dtype:
    """One stored head, `size` pixels a side: the crop, the classes of its pixels, and the start mesh."""
    return np.dtype(
        [
            ("crop", np.uint8, (size, size, 3)),
            ("classes", np.uint8, (size, size)),
            ("start_covered", np.bool_, (size, size)),
            *surface_fields(size, "start_"),
        ]
    )


class DressedExamples:
    """Files of dressed heads, more and more of them. Use as a context manager: drawing ends with it."""

    def __init__(
        self, folder: Path, size: int, count: int, seed: int, model_path: Path, portraits: Path | None, workers: int
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._paths = [folder / f"dressed_{number:05d}.npy" for number in range(-(-count // FILE))]
        self._type = dressed_type(size)
        self._job = size, seed, model_path, portraits
        self._files: list[np.ndarray] = []
        self._pool = helping_processes(workers)

    def __enter__(self) -> DressedExamples:
        self._jobs = [
            self._pool.submit(_write, path, number, *self._job)
            for number, path in enumerate(self._paths)
            if not path.exists()
        ]
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def batch(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """(B,) of `dressed_type`, drawn evenly from the files that are there; waits for the first ones.

        Raises: TrainingError if drawing failed; ConfigError if the files have heads of another size.
        """
        while True:
            self._open_new()
            if len(self._files) >= min(FIRST, len(self._paths)):
                break
            time.sleep(0.5)
        rows = [self._files[file] for file in rng.integers(0, len(self._files), count)]
        return np.array([file[rng.integers(0, len(file))] for file in rows])

    def _open_new(self) -> None:
        for job in self._jobs:
            if job.done() and not job.cancelled() and job.exception() is not None:
                raise TrainingError(f"drawing dressed heads failed: {job.exception()}; start again to continue")
        while len(self._files) < len(self._paths) and self._paths[len(self._files)].exists():
            self._files.append(read_examples(self._paths[len(self._files)], self._type))


def _write(path: Path, number: int, size: int, seed: int, model_path: Path, portraits: Path | None) -> None:
    """One file of heads; behind some are borders of even-numbered portraits."""
    model = read_face_model(model_path)
    numbers = [each for each in range(0, 1000, 2) if each % 16]
    generator = DressedHeadGenerator(model, 1000 * (seed + number) + 7, read_strips(portraits, numbers), size)
    kept = np.empty(FILE, dressed_type(size))
    for first in range(0, FILE, _CHUNK):
        heads, chunk = generator.draw_dressed(_CHUNK), kept[first : first + _CHUNK]
        chunk["crop"], chunk["classes"] = reduced(heads.crops, size), heads.classes
        chunk["start_covered"] = heads.start.covered
        keep_surface(chunk, "start_", heads.start)
    with written_whole(path) as partial, partial.open("wb") as file:
        np.save(file, kept)
