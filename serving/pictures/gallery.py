"""Pictures that somebody waits for: drawn by a process beside the web's, a few at a time, and kept for the next."""

from __future__ import annotations

import hashlib
import io
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from serving.confined import Overrun, Pool
from serving.errors import Busy, RenderingFailed
from serving.pictures import kept
from serving.pictures.views import BACKGROUNDS, PHOTO, Look, View, background_color, file_name, files_of
from serving.store.storage import Storage

WAITING = 8  # pictures that wait to be drawn at most
WAITING_OF_A_JOB = 4  # of these, and the one that is drawn
PATIENCE_SECONDS = 20.0  # of each of them
LONGEST_SECONDS = 60.0  # for one, on a machine with much to do
RETRY_SECONDS = 5

_KEPT_SIZES = (256, 512, 1024)  # of pictures that the next may ask for: few sizes, whole degrees


@dataclass(frozen=True)
class ModelFile:
    """What browsers need of the site's face model and lights, the same for all faces."""

    digest: str  # SHA-256 of the content, hexadecimal
    content: bytes


class Gallery:
    """Draws pictures of the faces in a storage; one serves all threads of a process."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.pool = Pool(
            "serving.pictures.drawer", 1, waiting=WAITING, patience=PATIENCE_SECONDS, seconds=LONGEST_SECONDS
        )
        self._waiting: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._model_files: dict[str, ModelFile] = {}
        self._model_files_lock = threading.Lock()

    def picture(self, folder: str, view: View, size: int, background: str, look: Look = PHOTO) -> bytes:
        """A JPG of the face in a folder of the storage; for a relit one a worker has taken the light off before.

        Raises: Busy, RenderingFailed, StorageError, FileNotFoundError if the job has been deleted.
        """
        wanted_again = (
            size in _KEPT_SIZES and background in BACKGROUNDS and all(angle == round(angle) for angle in view)
        )
        file = f"{size}_{background}_{file_name(view, look)}"
        if wanted_again and (picture := kept.find(self._storage, folder, file)) is not None:
            return picture
        with self._place(kept.job_of(folder)):
            picture = self._draw(folder, view, size, background, look)
        if wanted_again and kept.has_room(self._storage, folder):
            kept.keep(self._storage, folder, file, picture)
        return picture

    def expressions(self) -> ModelFile:
        """What expressions move, as `deep3d.expression_file` has it.

        Raises: Busy, RenderingFailed.
        """
        return self._model_file("expressions")

    def basis(self) -> ModelFile:
        """What any face is drawn by, as `deep3d.basis_file` has it.

        Raises: Busy, RenderingFailed.
        """
        return self._model_file("basis")

    def lights(self) -> ModelFile:
        """The preset lights, as `deep3d.lights_file` has them.

        Raises: Busy, RenderingFailed.
        """
        return self._model_file("lights")

    def _model_file(self, name: str) -> ModelFile:
        with self._model_files_lock:
            if name not in self._model_files:
                try:
                    content = self.pool.call({"file": name})[1]
                except Overrun as error:
                    raise RenderingFailed("The face model could not be read. Please try again.") from error
                self._model_files[name] = ModelFile(hashlib.sha256(content).hexdigest(), content)
            return self._model_files[name]

    def _draw(self, folder: str, view: View, size: int, background: str, look: Look) -> bytes:
        call = {"view": view, "size": size, "color": background_color(background)} | {
            "look": look.name,
            "light": look.light,
        }
        try:
            return self.pool.call(call, lambda: io.BytesIO(files_of(self._storage, folder, look).to_bytes()))[1]
        except Overrun as error:
            raise RenderingFailed("This picture could not be made. Please try again.") from error

    @contextmanager
    def _place(self, job: str) -> Iterator[None]:
        """A place among those who wait: nobody takes all of them for one job."""
        with self._lock:
            if self._waiting[job] >= WAITING_OF_A_JOB:
                raise Busy(RETRY_SECONDS)
            self._waiting[job] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[job] -= 1
                if not self._waiting[job]:
                    del self._waiting[job]
