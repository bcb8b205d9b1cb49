"""Compile the numeric kernels before the first photo, in two processes, by work on faces.

One finds the face of the sample photo and fits it; the other takes a drawn face as found and writes all its files. They
share few kernels, so on two cores this takes little more than half the time. In the end the first writes its face too,
for the kernels that hair needs. Later processes use numba's cache.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event as Signal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numba.core.event import Event, Listener, install_listener

from deep3d.errors import Deep3DError
from deep3d.files.assets import sample_photo

if TYPE_CHECKING:
    from deep3d import FaceModel, Photo

USUAL_KERNELS = 300  # compilations of both processes, numba's own functions included; for the progress bar
PIXELS = 512
TEXTURE_PIXELS = 1024
MARGIN = 1.1  # of `draw_view`
_GREY = (233, 233, 233)


class CompilationFailed(Deep3DError):
    """One of the processes ended early."""


def compile_kernels() -> Iterator[float]:
    """Compile, and yield the completed share in [0, 1] from time to time.

    Raises: CompilationFailed.
    """
    context = multiprocessing.get_context("spawn")
    said, says = context.Pipe(duplex=False)
    written = context.Event()
    processes = [
        context.Process(target=_find, args=(written, says), name="finding"),
        context.Process(target=_write, args=(written, says), name="writing"),
    ]
    for process in processes:
        process.start()
    try:
        yield from _progress(processes, said)
    finally:
        for process in processes:
            process.kill()
            process.join()


def _progress(processes: Sequence[BaseProcess], said: Connection) -> Iterator[float]:
    compiled = 0
    while any(process.is_alive() for process in processes):
        while said.poll(0.1):
            said.recv()
            compiled += 1
        yield min(compiled / USUAL_KERNELS, 0.99)
        broken = next((process for process in processes if process.exitcode), None)
        if broken is not None:
            raise CompilationFailed(
                f"{broken.name}: the process failed with exit code {broken.exitcode}; see its messages above"
            )
    yield 1.0


class _Count(Listener):
    """Reports each compiled kernel through a pipe."""

    def __init__(self, says: Connection) -> None:
        self._says = says

    def on_start(self, event: Event) -> None:
        """Counted when it ends."""

    def on_end(self, event: Event) -> None:
        self._says.send_bytes(b"\x80\x04N.")  # a pickled None in one write, since two processes share the pipe


def _find(written: Signal, says: Connection) -> None:
    """Find a face and fit it; then write its files, for what the other process has not compiled."""
    from deep3d import Reconstructor, write_results
    from deep3d.photo import read_photo

    with install_listener("numba:compile", _Count(says)), TemporaryDirectory(prefix="deep3d-") as folder:
        finder = Reconstructor.load(goal="throughput", hair="shell")
        photo = read_photo(sample_photo())
        face = finder.same_person([photo, photo]).merged
        written.wait()
        write_results(face, Path(folder) / "face")


def _write(written: Signal, says: Connection) -> None:
    """Draw the face, and write the files of a result."""
    from deep3d import SamePerson, default_face_model, fit_photo, write_results

    with install_listener("numba:compile", _Count(says)), TemporaryDirectory(prefix="deep3d-") as folder:
        model = default_face_model()
        photo = mean_face(model)
        face = fit_photo(photo, _landmarks(model), model)
        merged = SamePerson((face, face), np.ones(2), ()).merged
        write_results(merged, Path(folder) / "face")
        written.set()


def mean_face(face_model: FaceModel) -> Photo:
    """A picture of the mean face."""
    from deep3d import Photo, Pose, draw_view
    from deep3d.export.images import albedo_image

    texture = albedo_image(face_model, face_model.mean_albedo, TEXTURE_PIXELS)
    pixels = draw_view(face_model.mesh(face_model.mean_shape), texture, Pose(0, 0, 0), PIXELS, _GREY)
    return Photo(pixels, "mean face", "")


def _landmarks(face_model: FaceModel) -> np.ndarray:
    """(68, 2) landmarks in that picture, seen from far away."""
    shape = face_model.mean_shape
    low, high = shape.min(axis=0), shape.max(axis=0)
    points = face_model.landmarks(shape[None])[0] - (low + high) / 2
    scale = PIXELS / (MARGIN * (high - low).max())
    return (PIXELS - 1) / 2 + points[:, :2] * [scale, -scale]
