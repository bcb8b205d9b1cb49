"""What a worker does with a job: photos in, faces out, in the storage and in the database; it may be done twice."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from dramatiq.errors import Retry
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from deep3d import Deep3DError, Photo, Reconstruction, read_photo
from deep3d.memory import give_back_memory
from deep3d.runtime.cores import usable_cores
from serving.errors import StorageError
from serving.jobs import reasons, recovery, runs
from serving.jobs.runs import PhotoOutcome, Run, Standing
from serving.metrics import WorkerMetrics
from serving.site import Site
from serving.store.tables import Status, Upload
from serving.worker.batching import Batcher, Budget, SharedLock
from serving.worker.effort import Account, Steps
from serving.worker.face_finding import FaceFinder, Faces, Found, Item, find_faces, shares_of
from serving.worker.files import write_files
from serving.worker.turns import Turns

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
        self._batcher = Batcher[Item, Found](
            self._find, site.settings.batch_photos, weight=lambda item: item.faces, due=lambda item: item.due
        )
        self._network = SharedLock()
        self._budget = Budget(PIXELS_IN_MEMORY)
        self._writing = Turns(usable_cores())
        self._places_of_crowds = threading.BoundedSemaphore(max(1, site.settings.worker_threads // 2))
        self._steps = Steps()
        self._holding: set[int] = set()
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

    def longest_step(self) -> float:
        """Seconds since the oldest step that this process is at was begun; waiting for a turn is none."""
        return self._steps.longest()

    def _take_turn(self, job_id: int) -> None:
        """Wait for the turn of a job, and do it.

        A message for a job that another worker runs is kept: should that run break off, nobody else might know of it.
        """
        before = None
        while (standing := runs.standing(self._site, job_id)) is not None:
            if standing.holder not in (None, self._worker_id):
                raise TransientError("another worker has the job")
            if standing == before:
                raise TransientError("this worker is not registered")
            with self._place(standing), self._network.exclusive() if standing.alone else self._network.shared():
                run = runs.claim(self._site, job_id, self._worker_id, standing.alone)
                if run is not None:
                    return self._work(run)
            before = standing

    def _work(self, run: Run) -> None:
        try:
            status = self._finish(run)
        except (TransientError, StorageError) as error:
            self._metrics.retries.inc()
            _log.warning("put back: %s", error, extra={"job": run.job_id})
            return runs.put_back(self._site, run)
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
            account = Account()
            outcomes = [outcome for uploads in _in_parts(run) for outcome in self._photos(run, account, uploads)]
            return runs.finish(self._site, run, outcomes)
        except RunLostError:
            return None
        except (TransientError, StorageError, *_DATABASE_AWAY):
            raise  # while the database is away the run stays claimed, and is put back by a sweep
        except Exception:  # a mistake of ours, or the files of a job that has just been deleted
            _log.exception("failed", extra={"job": run.job_id})
            return runs.finish(self._site, run, [PhotoOutcome(error=reasons.OUR_MISTAKE)] * len(run.uploads))

    def _photos(self, run: Run, account: Account, uploads: Sequence[Upload]) -> list[PhotoOutcome]:
        """What becomes of some photos of a job, which are in memory together."""
        if self._is_over(account):
            return [PhotoOutcome(error=reasons.TOO_LONG) for _ in uploads]
        with self._budget.take(sum(upload.width * upload.height for upload in uploads)):
            with self._step("photos", account):
                read = {upload.number: self._read(upload) for upload in uploads}
            photos = {number: photo for number, photo in read.items() if isinstance(photo, Photo)}
            unreadable = {number: error for number, error in read.items() if isinstance(error, Deep3DError)}
            most = self._most_faces(run, account, uploads)
            found = {**unreadable, **self._faces_of(run, account, photos, most)}
            if run.job_id not in runs.advance(self._site, [run], "files", 0.6):
                raise RunLostError
            return [self._outcome(run, account, upload, found[upload.number], most) for upload in uploads]

    def _most_faces(self, run: Run, account: Account, uploads: Sequence[Upload]) -> int:
        """How many faces a photo of these may give: what the job has left, but for one of each later photo."""
        if run.faces_wanted != "all":
            return 1
        later = len(run.uploads) - 1 - uploads[-1].number
        return max(1, self._site.settings.max_faces - account.faces - later)

    def _faces_of(
        self, run: Run, account: Account, photos: Mapping[int, Photo], most: int
    ) -> dict[int, Faces | PhotoOutcome]:
        """What the network gives of each photo, by number."""
        together = [tuple(photos)] if run.same_person and photos else [(number,) for number in photos]
        each_photos = [tuple(photos[number] for number in numbers) for numbers in together]
        found = self._batcher([Item(run, those, most, account) for those in each_photos])
        shares: dict[int, Faces | PhotoOutcome] = {}
        for numbers, each in zip(together, found, strict=True):
            shares |= zip(numbers, shares_of(each, len(numbers)), strict=True)
        return shares

    def _read(self, upload: Upload) -> Photo | Deep3DError:
        content = self._site.storage.read(upload.path)
        try:
            photo = read_photo(content, upload.name)
        except Deep3DError as error:
            return error
        return replace(photo, warnings=(*upload.warnings, *photo.warnings))

    def _find(self, items: Sequence[Item]) -> Iterator[Found]:
        """One batch through detector and network."""
        count = sum(len(item.photos) for item in items)
        runs.advance(self._site, [item.run for item in items], "network", 0.3, batch_size=count)
        self._metrics.batch_photos.observe(count)
        with self._step("network", *[item.account for item in items]):
            yield from find_faces(self._finder, items)

    def _outcome(
        self, run: Run, account: Account, upload: Upload, found: Faces | PhotoOutcome, most: int
    ) -> PhotoOutcome:
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
        left_out = len(found) > most
        del found[most:]
        folders = []
        while found and not self._is_over(account):
            with self._writing.take(account.due()), self._step("files", account):
                folders.append(self._store(run, upload, len(folders), found.pop(0)))  # nothing of it stays in memory
            account.faces += 1
        error = reasons.TOO_LONG if found else reasons.LEFT_OUT if left_out else None
        return PhotoOutcome(tuple(folders), error)

    def _is_over(self, account: Account) -> bool:
        """Whether a job has had all the time that it may have."""
        return account.seconds > self._site.settings.job_seconds

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
                self._holding.add(job_id)
        try:
            yield first
        finally:
            if first:
                with self._lock:
                    self._holding.remove(job_id)
                    idle = not self._holding
                if idle:
                    give_back_memory()

    @contextmanager
    def _place(self, standing: Standing) -> Iterator[None]:
        """A place for a job: those that want all faces take half of the threads at most, so that others find one.

        Raises: TransientError where there is none.
        """
        if standing.faces_wanted != "all":
            yield
            return
        if not self._places_of_crowds.acquire(blocking=False):
            raise TransientError("others have their turn")
        try:
            yield
        finally:
            self._places_of_crowds.release()

    @contextmanager
    def _step(self, stage: str, *accounts: Account) -> Iterator[None]:
        """A step of some runs, each of which takes an equal share of its time."""
        start = time.perf_counter()
        with self._steps.step():
            yield
        took = time.perf_counter() - start
        self._metrics.stage_seconds.labels(stage).observe(took)
        for account in accounts:
            account.seconds += took / len(accounts)


def _in_parts(run: Run) -> Iterator[Sequence[Upload]]:
    """The photos of a job in parts that are small enough to be in memory together, with the faces that they give."""
    if run.same_person:
        yield run.uploads
        return
    most = 0 if run.faces_wanted == "all" else PIXELS_OF_A_JOB
    part: list[Upload] = []
    pixels = 0
    for upload in run.uploads:
        size = upload.width * upload.height
        if part and pixels + size > most:
            yield part
            part, pixels = [], 0
        part.append(upload)
        pixels += size
    if part:
        yield part
