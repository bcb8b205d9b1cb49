"""What batches buy: the same jobs wait, and are taken one by one or together, by each runtime."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from serving.errors import ServingError
from serving.jobs import heartbeats, submission
from serving.jobs.submission import Submission
from serving.jobs.uploads import CleanPhoto, Reader, clean_photos
from serving.loadtest.report import Report
from serving.metrics import WorkerMetrics
from serving.settings import Settings
from serving.site import Site
from serving.worker.face_finding import FaceFinder
from serving.worker.reconstruct import ReconstructJob

WAITING = (1, 4, 16, 32)  # jobs


@dataclass(frozen=True)
class _Round:
    """How quickly the jobs were done that waited."""

    seconds: float
    network_seconds: float  # of these, detector and network

    def told(self, count: int) -> str:
        return f"{count / self.seconds:.2f} ({1000 * self.network_seconds / count:.0f} ms)"


def run_batches(
    finders: dict[str, FaceFinder], photos: Sequence[Path], rounds: int, waiting: Sequence[int] = WAITING
) -> Report:
    """Faces a second with all files, and time in detector and network for each, by runtime and number of waiting jobs.

    Raises: ServingError if a photo cannot be taken.
    """
    settings = Settings()
    read = Reader()
    cleaned = [_cleaned(photo, settings, read) for photo in photos]
    read.pool.close()
    figures: dict[str, float | str] = {}
    for name, finder in finders.items():
        for count in waiting:
            taken = [cleaned[number % len(cleaned)] for number in range(count)]
            best = {}
            for most in [1, settings.batch_photos] * rounds:  # in turn, so that both have the same disturbances
                measured = _measure(finder, taken, most)
                best[most] = min(best.get(most, measured), measured, key=lambda each: each.seconds)
            alone, together = best[1].told(count), best[settings.batch_photos].told(count)
            figures[f"{name}, {count} waiting: one by one"] = alone
            figures[f"{name}, {count} waiting: {settings.batch_photos} at most together"] = together
    return Report(figures)


def _measure(finder: FaceFinder, photos: Sequence[CleanPhoto], most: int) -> _Round:
    """Let as many threads as in a worker do one job for each photo, `most` of which go through the network together."""
    with TemporaryDirectory() as folder:
        site = Site.open(replace(Settings(), data_dir=Path(folder), batch_photos=most, max_queue=len(photos) + 1))
        metrics = WorkerMetrics()
        worker = heartbeats.register(site)
        job = ReconstructJob(site, finder, worker, metrics)
        numbers = [submission.submit(site, Submission([photo])).id for photo in photos]
        start = time.perf_counter()
        with ThreadPoolExecutor(site.settings.worker_threads) as pool:
            list(pool.map(job, numbers))
        seconds = time.perf_counter() - start
        site.close()
    network = metrics.registry.get_sample_value("deep3d_stage_seconds_sum", {"stage": "network"})
    return _Round(seconds, network or 0.0)


def _cleaned(photo: Path, settings: Settings, read: Reader) -> CleanPhoto:
    try:
        with photo.open("rb") as stream:
            return clean_photos([(photo.name, stream)], settings, read)[0]
    except OSError as error:
        raise ServingError(f"{photo}: cannot be read ({error.strerror}); check the path") from error
