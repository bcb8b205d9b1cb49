"""Many look at pictures, and download files, in the same moment: pages and submissions go on meanwhile."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from serving.client import Client, Declined
from serving.loadtest.local_site import LocalSite, MemoryWatch
from serving.loadtest.report import Report, quantile

SIZE = 2048  # pixels of each picture
DOWNLOADS = ("zip", "glb", "obj", "ply")  # the large files of a face, taken in turn
LONGEST_HEALTH_SECONDS = 0.3  # 99th percentile
LONGEST_SUBMISSION_SECONDS = 1.5
HEALTH_PAUSE_SECONDS = 0.05
SUBMISSION_PAUSE_SECONDS = 1.0
_GOOD = ("pictures", "files", "503")  # the last with Retry-After


def run_viewers(local: LocalSite, photo: Path, viewers: int, rounds: int) -> Report:
    """Let so many people ask for a large picture of one face in the same moment, so often one after the other, and then
    for its files.

    Raises: Declined.
    """
    client = local.client(viewers + 4)
    links, over = _links_of_a_face(client, photo), threading.Event()
    answers, downloads = Counter[str](), Counter[str]()

    def look(number: int) -> None:
        angle = number % 140 - 70 + 0.5 * (number // 140)  # another one each time: nothing is kept
        status = client.request("GET", f"{links['snapshot']}?yaw={angle}&pitch=0.25&size={SIZE}").status
        answers["pictures" if status == 200 else f"{status}"] += 1

    def download(number: int) -> None:
        file = DOWNLOADS[number % len(DOWNLOADS)]
        status = client.request("GET", links[file], headers={"Accept-Encoding": "br, gzip"}).status
        downloads["files" if status == 200 else f"{status}"] += 1

    with MemoryWatch(local) as memory, ThreadPoolExecutor(viewers + 2) as pool:
        health = pool.submit(_ask_for_health, client, over)
        submissions = pool.submit(_submit, client, photo, over)
        start = time.perf_counter()
        for once in range(rounds):
            list(pool.map(look, range(once * viewers, (once + 1) * viewers)))
            list(pool.map(download, range(viewers)))
        took = time.perf_counter() - start
        over.set()
    figures = {
        "viewers at once, rounds": f"{viewers}, {rounds}",
        "time of the test (s)": took,
        "web, most resident memory (MB)": round(memory.most_mb("web")),
    }
    return _report(figures, answers, downloads, quantile(health.result(), 0.99), max(submissions.result()))


def _report(
    figures: dict[str, Any], answers: Counter[str], downloads: Counter[str], slowest: float, submitted: float
) -> Report:
    """Figures with the answers, the 99th percentile of /healthz and the longest submission in seconds."""
    faults = [
        *[f"{count} x {answer}" for answer, count in (answers + downloads).items() if answer not in _GOOD],
        *["no picture was drawn"] * (not answers["pictures"]),
        *["no file came"] * (not downloads["files"]),
        *[f"/healthz took {slowest:.2f} s"] * (slowest > LONGEST_HEALTH_SECONDS),
        *[f"a submission took {submitted:.2f} s"] * (submitted > LONGEST_SUBMISSION_SECONDS),
    ]
    more = {
        "answers": _counted(answers),
        "downloads": _counted(downloads),
        "/healthz, p99 (s)": slowest,
        "a submission, longest (s)": submitted,
    }
    return Report(figures | more, faults)


def _counted(answers: Counter[str]) -> str:
    return ", ".join(f"{count} x {answer}" for answer, count in sorted(answers.items()))


def _links_of_a_face(client: Client, photo: Path) -> dict[str, str]:
    """What there is of the photo's face; the process that draws has started. Raises: Declined."""
    state = client.wait(client.submit([photo]))
    if not state["faces"]:
        raise Declined(f"{photo}: gives no face ({state['error']}); choose another photo")
    links = state["faces"][0]["links"]
    client.request("GET", f"{links['snapshot']}?size={SIZE}").require()
    return links


def _ask_for_health(client: Client, over: threading.Event) -> Sequence[float]:
    """Seconds of each answer."""
    seconds = []
    while not over.wait(HEALTH_PAUSE_SECONDS) or not seconds:
        seconds.append(client.request("GET", "/healthz").seconds)
    return seconds


def _submit(client: Client, photo: Path, over: threading.Event) -> Sequence[float]:
    """Seconds of each submission."""
    seconds = []
    while not over.wait(SUBMISSION_PAUSE_SECONDS) or not seconds:
        start = time.perf_counter()
        client.submit([photo])
        seconds.append(time.perf_counter() - start)
    return seconds
