"""What a worker does with a job: photos in, faces out, in the storage and in the database; it may be done twice."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from dramatiq.errors import Retry
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from deep3d import Deep3DError, Photo, Reconstruction, read_photo
from deep3d.runtime.cores import give_back_memory, usable_cores
from serving.errors import StorageError
from serving.jobs import reasons, recovery, runs
from serving.jobs.runs import PhotoOutcome, Run
from serving.metrics import WorkerMetrics
from serving.site import Site
from serving.store.tables import Status, Upload
from serving.worker.batching import Batcher, Budget, SharedLock
from serving.worker.face_finding import FaceFinder, Faces, Found, Item, find_faces, shares_of
from serving.worker.files import write_files

PIXELS_IN_MEMORY = 100_000_000  # of photos of all jobs of a process: 300 MB
PIXELS_OF_A_JOB = 32_000_000  # of its photos at a time, unless a single one has more

Write = Callable[[Reconstruction, Path], None]

_DATABASE_AWAY = (DBAPIError, PoolTimeoutError)

_log = logging.getLogger(__name__)


class TransientError(Retry):
    """An error that is not the photo's, and may be over soon: no room on the disk, a store or database away."""


class RunLostError(Exception):
    """The job has been deleted meanwhile, or another worker has it."""


class ReconstructJob:
    """The actor: called with the number of a job, in many threads at once.

    `worker_id` is the id under which this process works.
    """

    def __init__(
        self,
        site: Site,
        finder: FaceFinder,
        worker_id: str,
        metrics: WorkerMetrics,
        write: Write = write_files,
    ) -> None:
        self._site = site
        self._finder = finder
        self._worker_id = worker_id
        self._metrics = metrics
        self._write = write
        self._batcher = Batcher[Item, Found](self._find, site.settings.batch_photos)
        self._network = SharedLock()
        self._budget = Budget(PIXELS_IN_MEMORY)
        self._writing = threading.BoundedSemaphore(usable_cores())
        self._holding: dict[int, float] = {}
        self._lock = threading.Lock()

    def __call__(self, job_id: int) -> None:
        """Work on a job until it is done or failed; nothing happens if it is over.

        Raises: TransientError; the message should come again later.
        """
        try:
            with self._held(job_id) as first:
                if first:
                    self._take_turn(job_id)
        except _DATABASE_AWAY as error:
            raise TransientError(f"the database: {type(error).__name__}") from error

    def at_hand(self) -> list[int]:
        """The jobs that this process has claimed, or is about to claim."""
        with self._lock:
            return list(self._holding)

    def longest_held(self) -> float:
        """Seconds since the oldest job at hand was begun."""
        with self._lock:
            return time.monotonic() - min(self._holding.values(), default=time.monotonic())

    def _take_turn(self, job_id: int) -> None:
        """Wait for the turn of a job, and do it.

        A message for a job that another worker runs is kept: should that run break off, nobody else might know of it.
        """
        before = None
        while (standing := runs.standing(self._site, job_id)) is not None:
            if standing.holder not in (None, self._worker_id):
                raise TransientError("another worker has the job")
            if standing == before:
                raise TransientError("this worker is not known to be at work")
            with self._network.exclusive() if standing.alone else self._network.shared():
                run = runs.claim(self._site, job_id, self._worker_id, standing.alone)
                if run is not None:
                    return self._work(run)
            before = standing

    def _work(self, run: Run) -> None:
        with self._lock:
            self._holding[run.job_id] = time.monotonic()
        try:
            status = self._finish(run)
        except (TransientError, StorageError) as error:
            self._metrics.retries.inc()
            _log.warning("put back: %s", error, extra={"job": run.job_id})
            runs.put_back(self._site, run)
            raise TransientError(str(error)) from error
        if status is None:
            self._site.storage.delete(run.folder)
            recovery.acquit(self._site, run)
            return
        for earlier in range(1, run.attempt):  # what runs left that broke off
            self._site.storage.delete(runs.run_folder(run.job_id, earlier))
        self._metrics.jobs.labels(status.value).inc()
        _log.info("%s", status.value, extra={"job": run.job_id, "attempt": run.attempt})

    def _finish(self, run: Run) -> Status | None:
        """Make the faces of a job, and end it; None if it is no longer this run's."""
        try:
            parts = [run.uploads] if run.same_person else _in_parts(run.uploads)
            outcomes = [outcome for uploads in parts for outcome in self._photos(run, uploads)]
            return runs.finish(self._site, run, outcomes)
        except RunLostError:
            return None
        except (TransientError, StorageError, *_DATABASE_AWAY):
            raise  # while the database is away the run stays claimed, and is put back by a sweep
        except Exception:  # a mistake of ours, or the files of a job that has just been deleted
            _log.exception("failed", extra={"job": run.job_id})
            return runs.finish(self._site, run, [PhotoOutcome(error=reasons.OUR_MISTAKE)] * len(run.uploads))

    def _photos(self, run: Run, uploads: Sequence[Upload]) -> list[PhotoOutcome]:
        """What becomes of some photos of a job, which are in memory together."""
        with self._budget.take(sum(upload.width * upload.height for upload in uploads)):
            read = {upload.number: self._read(upload) for upload in uploads}
            photos = {number: photo for number, photo in read.items() if isinstance(photo, Photo)}
            unreadable = {number: error for number, error in read.items() if isinstance(error, Deep3DError)}
            found = {**unreadable, **self._faces_of(run, photos)}
            if run.job_id not in runs.advance(self._site, [run], "files", 0.6):
                raise RunLostError
            with self._writing:
                return [self._outcome(run, upload, found[upload.number]) for upload in uploads]

    def _faces_of(self, run: Run, photos: Mapping[int, Photo]) -> dict[int, Faces | PhotoOutcome]:
        """What the network gives of each photo, by number."""
        together = [tuple(photos)] if run.same_person and photos else [(number,) for number in photos]
        found = self._batcher([Item(run, tuple(photos[number] for number in numbers)) for numbers in together])
        shares: dict[int, Faces | PhotoOutcome] = {}
        for numbers, each in zip(together, found, strict=True):
            shares |= zip(numbers, shares_of(each, len(numbers)), strict=True)
        return shares

    def _read(self, upload: Upload) -> Photo | Deep3DError:
        content = self._site.storage.read(upload.path)
        try:
            return read_photo(content, upload.name)
        except Deep3DError as error:
            return error

    def _find(self, items: Sequence[Item]) -> list[Found]:
        """One batch through detector and network."""
        count = sum(len(item.photos) for item in items)
        runs.advance(self._site, [item.run for item in items], "network", 0.3, batch_size=count)
        self._metrics.batch_photos.observe(count)
        with self._timed("network"):
            return find_faces(self._finder, items)

    def _outcome(self, run: Run, upload: Upload, found: Faces | PhotoOutcome) -> PhotoOutcome:
        if isinstance(found, PhotoOutcome):
            return found
        if isinstance(found, (StorageError, *_DATABASE_AWAY)):
            raise TransientError(str(found)) from found
        if isinstance(found, Exception):
            if not isinstance(found, Deep3DError | MemoryError):
                _log.error("photo %d failed", upload.number, exc_info=found, extra={"job": run.job_id})
            return PhotoOutcome(error=reasons.of_error(found))
        if not found:
            return PhotoOutcome(error=reasons.NO_FACE)
        with self._timed("files"):
            return PhotoOutcome(tuple(self._store(run, upload, number, face) for number, face in enumerate(found)))

    def _store(self, run: Run, upload: Upload, number: int, face: Reconstruction) -> str:
        """Write the files of a face; its folder in the storage."""
        name = f"{run.folder}/photo-{upload.number}-face-{number}"
        try:
            with TemporaryDirectory(prefix="deep3d-") as folder:
                self._write(face, Path(folder) / "face")
                if not runs.holds(self._site, run):
                    raise RunLostError
                self._site.storage.move_folder(name, Path(folder) / "face")
        except (Deep3DError, OSError) as error:  # no photo is to blame when results cannot be written
            raise TransientError(str(error)) from error
        return name

    @contextmanager
    def _held(self, job_id: int) -> Iterator[bool]:
        """Whether no other thread of this process has the job; it has a place among those at hand meanwhile."""
        with self._lock:
            first = job_id not in self._holding
            if first:
                self._holding[job_id] = float("inf")  # nothing has begun yet
        try:
            yield first
        finally:
            if first:
                with self._lock:
                    del self._holding[job_id]
                    idle = not self._holding
                if idle:
                    give_back_memory()

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._metrics.stage_seconds.labels(stage).observe(time.perf_counter() - start)


def _in_parts(uploads: Sequence[Upload]) -> Iterator[list[Upload]]:
    """The photos of a job in parts that are small enough to be in memory together."""
    part: list[Upload] = []
    pixels = 0
    for upload in uploads:
        size = upload.width * upload.height
        if part and pixels + size > PIXELS_OF_A_JOB:
            yield part
            part, pixels = [], 0
        part.append(upload)
        pixels += size
    if part:
        yield part
