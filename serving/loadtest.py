"""How a site bears many people at once: each submits a photo, looks at the page, and waits until the face is there."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from serving.client import Client, Declined

PAGES = ("/", "/healthz", "/faces")  # that other people look at meanwhile
PAUSE_SECONDS = 1.0  # after a submission that was not taken
PAGE_SECONDS = 0.2  # between two of their looks


@dataclass
class _Figures:
    """What is counted while the test runs."""

    done: list[float] = field(default_factory=list)  # seconds from submission to all files
    failed: list[str] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)  # seconds of a page request
    server_errors: int = 0


@dataclass(frozen=True)
class LoadReport:
    """What came out."""

    people: int
    seconds: float
    done: int
    failed: list[str]
    faces_per_second: float
    done_median_s: float
    done_p95_s: float
    done_longest_s: float
    pages: int
    page_p95_ms: float
    server_errors: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def to_markdown(self) -> str:
        """A table for people."""
        rows = {
            "people at once": f"{self.people}",
            "time of the test": f"{self.seconds:.1f} s",
            "jobs done, failed": f"{self.done}, {len(self.failed)}",
            "faces per second": f"{self.faces_per_second:.2f}",
            "submitted to done: median, p95, longest": (
                f"{self.done_median_s:.1f}, {self.done_p95_s:.1f}, {self.done_longest_s:.1f} s"
            ),
            "page requests, p95": f"{self.pages}, {self.page_p95_ms:.0f} ms",
            "answers 5xx": f"{self.server_errors}",
        }
        return "\n".join(
            ["| what | measured |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]
        )


def run_loadtest(server: str, photos: Sequence[Path], people: int, seconds: float = 0.0) -> LoadReport:
    """Let so many people submit a photo in the same moment, again and again for so many seconds.

    Raises: Declined if the site is not ready.
    """
    client = Client(server, connections=people + 4)
    if client.request("GET", "/readyz").status != 200:
        raise Declined(f"{server}: the site is not ready; wait until its worker is at work")
    figures, numbers, over = _Figures(), count(), threading.Event()
    start = time.perf_counter()

    def person() -> None:
        while True:
            _submit_one(client, photos[next(numbers) % len(photos)], figures)
            if time.perf_counter() - start >= seconds:
                return

    looker = threading.Thread(target=_look_at_pages, args=(client, figures, over))
    looker.start()
    with ThreadPoolExecutor(people) as pool:
        for waiting in [pool.submit(person) for _ in range(people)]:
            waiting.result()
    took = time.perf_counter() - start
    over.set()
    looker.join()
    done = np.array(figures.done or [0.0])
    return LoadReport(
        people=people,
        seconds=took,
        done=len(figures.done),
        failed=figures.failed,
        faces_per_second=len(figures.done) / took,
        done_median_s=float(np.median(done)),
        done_p95_s=float(np.quantile(done, 0.95)),
        done_longest_s=float(done.max()),
        pages=len(figures.pages),
        page_p95_ms=1000 * float(np.quantile(figures.pages or [0.0], 0.95)),
        server_errors=figures.server_errors,
    )


def _submit_one(client: Client, photo: Path, figures: _Figures) -> None:
    start = time.perf_counter()
    try:
        state = client.wait(client.submit([photo]))
    except Declined as error:
        figures.failed.append(str(error))
        time.sleep(PAUSE_SECONDS)  # a person would not try again at once, either
        return
    if state["status"] == "done":
        figures.done.append(time.perf_counter() - start)
    else:
        figures.failed.append(str(state["error"]))


def _look_at_pages(client: Client, figures: _Figures, over: threading.Event) -> None:
    for number in count():
        if over.wait(PAGE_SECONDS):
            return
        try:
            answer = client.request("GET", PAGES[number % len(PAGES)])
        except Declined:  # no answer at all
            figures.server_errors += 1
            continue
        figures.pages.append(answer.seconds)
        figures.server_errors += answer.status >= 500
