"""A disk without room, and a store that cannot be read: submissions are refused in words, and no job is lost."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import func, select

from serving.loadtest.local_site import LocalSite
from serving.loadtest.report import Report
from serving.loadtest.servers import ServerMissing, wait_until
from serving.store.tables import UNFINISHED, Job, Status

FILLER = "filler"


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A folder that is a disk of its own for the block; only root can make one.

    Raises: ServerMissing.
    """
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerMissing(f"{folder}: no small disk can be mounted there ({done.stderr.strip()}); be root")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def run_full_disk(local: LocalSite, photos: Sequence[Path], jobs: int, seconds: float) -> Report:
    """Fill the disk of a site and then take its files away, so many seconds each, with so many jobs at hand each time.

    The disk is that of its data folder: a small one, for this test alone.
    """
    folder = local.settings.data_dir
    troubles: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        "full": (lambda: _fill(folder / FILLER), lambda: (folder / FILLER).unlink()),
        "unreadable": (lambda: _take_away(folder / "files"), lambda: _give_back(folder / "files")),
    }
    figures: dict[str, float | str] = {}
    faults: list[str] = []
    for name, (begin, end) in troubles.items():
        for number in range(jobs):
            local.client().submit([photos[number % len(photos)]])
        begin()
        try:
            statuses, messages = _submit_meanwhile(local, photos[0], seconds)
        finally:
            end()
        over = time.perf_counter()
        wait_until(lambda: not _number_of(local, *UNFINISHED), "all jobs are over")
        figures[f"{name}: submissions meanwhile are answered"] = ", ".join(map(str, sorted(statuses)))
        figures[f"{name}: and told"] = " / ".join(sorted(messages))
        figures[f"{name}: room again to all jobs done (s)"] = time.perf_counter() - over
        faults += [f"{name}: a submission was answered {status}" for status in statuses - {202, 503, 507}]
        local.wait_until_ready()
    failed = _number_of(local, Status.FAILED)
    figures["jobs done, failed"] = f"{_number_of(local, Status.DONE)}, {failed}"
    return Report(figures, [*faults, *[f"{failed} jobs have failed"] * bool(failed)])


def _submit_meanwhile(local: LocalSite, photo: Path, seconds: float) -> tuple[set[int], set[str]]:
    """The statuses and the messages that people get for so long."""
    statuses, messages = set(), set()
    files = [("photo", (photo.name, photo.read_bytes()))]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = local.client().request("POST", "/api/v1/jobs", fields=files)
        statuses.add(answer.status)
        if answer.status >= 400:
            messages.add(answer.problem())
        time.sleep(1)
    return statuses, messages


def _fill(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def _take_away(files: Path) -> None:
    files.rename(files.with_suffix(".away"))
    files.touch()


def _give_back(files: Path) -> None:
    files.unlink()
    files.with_suffix(".away").rename(files)


def _number_of(local: LocalSite, *statuses: Status) -> int:
    with local.site.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Job).where(Job.status.in_(statuses))) or 0
