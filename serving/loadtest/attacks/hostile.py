"""Hostile uploads, many of each kind, and slow senders beside them: each is refused, the site still serves."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from serving.client import Client, Declined
from serving.loadtest.attacks.hostile_files import TAKEN, Attempt, kinds
from serving.loadtest.crowd import looking_at_pages
from serving.loadtest.local_site import LocalSite, MemoryWatch
from serving.loadtest.report import Report

AT_ONCE = 8  # who send at the same time
NO_ANSWER = "no answer"


def run_hostile(local: LocalSite, photo: Path, uploads: int, slow: int) -> Report:
    """Send so many hostile uploads, while so many slow senders hold their connections.

    Raises: Declined.
    """
    settings = local.settings
    tried = kinds(photo.read_bytes(), settings.max_photo_mb, settings.max_upload_mb)
    numbers = [(kind, number) for number in range(-(-uploads // len(tried))) for kind in tried][:uploads]
    random.Random(0).shuffle(numbers)
    client = local.client(AT_ONCE + 4)
    answers: dict[str, Counter[str]] = {kind: Counter() for kind in tried}
    faults: list[str] = []

    def attack(kind_and_number: tuple[str, int]) -> None:
        kind, number = kind_and_number
        attempt = tried[kind](number)
        answer, fault = _send(client, attempt)
        answers[kind][answer] += 1
        if fault:
            faults.append(f"{kind} {number}: {fault}")

    with MemoryWatch(local) as memory, looking_at_pages(client) as looks, _slow_senders(local, slow) as silent:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(attack, numbers))
        after = client.wait(client.submit([photo]))
        held = sum(_still_open(connection) for connection in silent)
    if after["status"] != "done":
        faults.append(f"a good photo gives no face afterwards: {after['error']}")
    return Report(
        {
            **{f"answers to: {kind}": _listed(counts) for kind, counts in answers.items()},
            "slow senders, still waiting in the end": f"{slow}, {held}",
            "web, most resident memory (MB)": round(memory.most_mb("web")),
            "worker, most resident memory (MB)": round(memory.most_mb("worker")),
            **looks.figures(),
            "a good photo afterwards": str(after["status"]),
        },
        faults + looks.faults(),
    )


def _send(client: Client, attempt: Attempt) -> tuple[str, str | None]:
    """The status of the answer, and what is wrong with it, if anything."""
    try:
        answer = client.request("POST", "/api/v1/jobs", body=attempt.body, headers=attempt.headers)
    except Declined:  # the server has closed the connection in the middle of what is far too large
        return NO_ANSWER, NO_ANSWER
    if answer.status not in attempt.expected:
        return str(answer.status), f"answered {answer.status}: {answer.body[:200].decode(errors='replace')}"
    if answer.status in TAKEN:
        return str(answer.status), _wrong_with_job(client, answer.json()["links"]["self"])
    detail = answer.body.decode(errors="replace")
    return str(answer.status), None if '"detail"' in detail else f"does not say what is wrong: {detail[:200]}"


def _wrong_with_job(client: Client, link: str) -> str | None:
    """A file that is a photo in spite of all is kept under a harmless name; then it is deleted."""
    names = [each["name"] for each in client.request("GET", link).json()["photos"]]
    client.request("DELETE", link).require()
    return f"kept under the name {names}" if any(set(name) & set("/\\\0\r\n") for name in names) else None


@contextmanager
def _slow_senders(local: LocalSite, count: int) -> Iterator[Sequence[socket.socket]]:
    """Connections that begin a large form and then say nothing more, for the block."""
    address = urlsplit(local.address)
    begun = (
        f"POST /api/v1/jobs HTTP/1.1\r\nHost: {address.netloc}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n--x\r\n"
    ).encode()
    connections = [socket.create_connection((address.hostname, address.port)) for _ in range(count)]
    try:
        for connection in connections:
            connection.sendall(begun)
        yield connections
    finally:
        for connection in connections:
            connection.close()


def _still_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return bool(connection.recv(1))
    except BlockingIOError:
        return True
    except OSError:
        return False


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} x {answer}" for answer, count in sorted(counts.items()))
