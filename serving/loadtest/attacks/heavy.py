"""Files that are heavy to decode, one after the other, and an ordinary photo beside each of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from serving.client import Client
from serving.loadtest.attacks.heavy_files import heavy_files
from serving.loadtest.attacks.hostile_files import REFUSED, form
from serving.loadtest.local_site import EmbeddedSite
from serving.loadtest.report import Report, quantile

MOST_CPU_SECONDS = 3.0  # of all processes of the web together, for one file
MOST_MB = 400.0  # of the largest of them
LONGEST_SUBMISSION_SECONDS = 1.0
HEAD_START_SECONDS = 0.1  # of the heavy file before the ordinary photo
SAMPLE_SECONDS = 0.02


def run_heavy(local: EmbeddedSite, photo: Path) -> Report:
    """Send each heavy file, and see what it costs and whether it is refused.

    Raises: Declined.
    """
    client = local.client()
    for _ in range(2):  # the processes that decode have started
        client.wait(client.submit([photo]))
    figures: dict[str, float | str] = {}
    faults: list[str] = []
    beside: list[float] = []
    costs: list[_Cost] = []
    for kind, make in heavy_files().items():
        content = make()
        with _measured(local) as cost, ThreadPoolExecutor(1) as pool:
            heavy = pool.submit(_send, client, content)
            time.sleep(HEAD_START_SECONDS)
            beside.append(_seconds_of_submission(client, photo))
            status = heavy.result()
        costs.append(cost)
        figures[kind] = f"{status}, {cost.cpu_seconds:.2f} s, {cost.most_mb:.0f} MB, beside it {beside[-1]:.2f} s"
        faults += [f"{kind}: answered {status}"] * (status not in REFUSED)
        faults += [f"{kind}: {cost.cpu_seconds:.1f} s of processor time"] * (cost.cpu_seconds > MOST_CPU_SECONDS)
        faults += [f"{kind}: {cost.most_mb:.0f} MB"] * (cost.most_mb > MOST_MB)
        faults += [f"{kind}: a photo beside it waited {beside[-1]:.1f} s"] * (beside[-1] > LONGEST_SUBMISSION_SECONDS)
    return Report(
        {
            "heavy files": len(costs),
            "processor time for one, most (s)": max(cost.cpu_seconds for cost in costs),
            "memory of a process, most (MB)": round(max(cost.most_mb for cost in costs)),
            "a submission beside it, median (s)": quantile(beside, 0.5),
            "a submission beside it, longest (s)": max(beside),
            **figures,
        },
        faults,
    )


class _Cost:
    """What the web's processes took during a block: processor time together, memory each."""

    cpu_seconds = 0.0
    most_mb = 0.0


@contextmanager
def _measured(local: EmbeddedSite) -> Iterator[_Cost]:
    cost, over = _Cost(), threading.Event()
    local.forget_peaks()

    def watch() -> None:
        while not over.wait(SAMPLE_SECONDS):
            cost.most_mb = max(cost.most_mb, local.web_peak_mb())

    watcher = threading.Thread(target=watch)
    before = local.web_cpu_seconds()
    watcher.start()
    try:
        yield cost
    finally:
        over.set()
        watcher.join()
        cost.cpu_seconds = local.web_cpu_seconds() - before
        cost.most_mb = max(cost.most_mb, local.web_peak_mb())


def _send(client: Client, content: bytes) -> int:
    attempt = form(content)
    return client.request("POST", "/api/v1/jobs", body=attempt.body, headers=attempt.headers).status


def _seconds_of_submission(client: Client, photo: Path) -> float:
    start = time.perf_counter()
    client.submit([photo])
    return time.perf_counter() - start
