"""Many people at once: each submits a photo, and waits until the face is there, while others look at pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from serving.client import Client, Declined
from serving.loadtest.local_site import EmbeddedSite, MemoryWatch
from serving.loadtest.mails import count_mails
from serving.loadtest.report import Report, quantile

PAGES = ("/", "/healthz", "/faces")  # that other people look at meanwhile
PAUSE_SECONDS = 1.0  # after a submission that was not taken
PAGE_SECONDS = 0.2  # between two of their looks


@dataclass
class Looks:
    """What was counted of the pages that somebody looked at."""

    seconds: list[float] = field(default_factory=list)
    server_errors: int = 0

    def figures(self) -> dict[str, float | str]:
        """How quick the pages were."""
        return {
            "page requests": len(self.seconds),
            "page requests, p95 (ms)": 1000 * quantile(self.seconds, 0.95),
            "answers 5xx": self.server_errors,
        }

    def faults(self) -> list[str]:
        """Pages that the site could not show."""
        return [f"{self.server_errors} pages were answered 5xx, or not at all"] * bool(self.server_errors)


def run_crowd(
    client: Client, photos: Sequence[Path], people: int, seconds: float = 0.0, email: str = "", quality: str = "normal"
) -> Report:
    """Let so many people submit a photo in the same moment, again and again for so many seconds.

    Raises: Declined if the site is not ready.
    """
    if client.request("GET", "/readyz").status != 200:
        raise Declined(f"{client.server}: the site is not ready; wait until its worker is at work")
    done: list[float] = []
    failed: list[str] = []
    numbers = count()
    start = time.perf_counter()

    def person() -> None:
        while True:
            began = time.perf_counter()
            error = _submit_one(client, photos[next(numbers) % len(photos)], email, quality)
            if error is None:
                done.append(time.perf_counter() - began)
            else:
                failed.append(error)
            if time.perf_counter() - start >= seconds:
                return

    with looking_at_pages(client) as looks, ThreadPoolExecutor(people) as pool:
        for waiting in [pool.submit(person) for _ in range(people)]:
            waiting.result()
    figures = {
        "people at once": people,
        "quality": quality,
        **_figures(done, failed, time.perf_counter() - start),
        **looks.figures(),
    }
    return Report(figures, [f"a job failed: {error}" for error in failed] + looks.faults())


def _figures(done: list[float], failed: list[str], took: float) -> dict[str, float]:
    """What is told of jobs that took so many seconds each, in a test that took `took`."""
    return {
        "time of the test (s)": took,
        "jobs done": len(done),
        "jobs failed": len(failed),
        "faces per second": len(done) / took,
        "submitted to done, median (s)": quantile(done, 0.5),
        "submitted to done, p95 (s)": quantile(done, 0.95),
        "submitted to done, longest (s)": quantile(done, 1),
    }


def run_local_crowd(
    local: EmbeddedSite, photos: Sequence[Path], people: int, seconds: float, quality: str = "normal"
) -> Report:
    """As `run_crowd`, on a site of our own: mails, memory and processor time are looked at too."""
    begun = local.worker_cpu_seconds(), local.web_cpu_seconds()
    with MemoryWatch(local) as memory:
        crowd = run_crowd(local.client(people + 4), photos, people, seconds, "anna@example.com", quality)
        mails = count_mails(local).report()
    took = local.worker_cpu_seconds() - begun[0], local.web_cpu_seconds() - begun[1]
    jobs = max(1, round(float(crowd.figures["jobs done"])))
    return Report(
        {
            **crowd.figures,
            **mails.figures,
            "processor time for each job, worker; web (ms)": "; ".join(f"{1000 * each / jobs:.0f}" for each in took),
            "worker, most resident memory (MB)": round(memory.most_mb("worker")),
            "worker, resident memory by minute (MB)": ", ".join(map(str, memory.by_minute("worker"))),
            "web, most resident memory (MB)": round(memory.most_mb("web")),
        },
        [*crowd.faults, *mails.faults],
    )


@contextmanager
def looking_at_pages(client: Client) -> Iterator[Looks]:
    """Somebody looks at pages, one after the other, for the block."""
    looks, over = Looks(), threading.Event()
    looker = threading.Thread(target=_look_at_pages, args=(client, looks, over))
    looker.start()
    try:
        yield looks
    finally:
        over.set()
        looker.join()


def _submit_one(client: Client, photo: Path, email: str, quality: str) -> str | None:
    """Why it gave no face, None if it gave one."""
    try:
        state = client.wait(client.submit([photo], email=email, quality=quality))
    except Declined as error:
        time.sleep(PAUSE_SECONDS)  # a person would not try again at once, either
        return str(error)
    return None if state["status"] == "done" else str(state["error"])


def _look_at_pages(client: Client, looks: Looks, over: threading.Event) -> None:
    for number in count():
        if over.wait(PAGE_SECONDS):
            return
        try:
            answer = client.request("GET", PAGES[number % len(PAGES)])
        except Declined:  # no answer at all
            looks.server_errors += 1
            continue
        looks.seconds.append(answer.seconds)
        looks.server_errors += answer.status >= 500
