"""Collages of a hundred faces, all of which are wanted, and ordinary photos beside them."""

from __future__ import annotations

import io
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image, ImageEnhance

from serving.client import Client, Declined
from serving.loadtest.local_site import EmbeddedSite, MemoryWatch
from serving.loadtest.report import Report, quantile

COLUMNS = 10  # of a collage, which has as many rows
TILE = 128  # pixels
MARGIN = 0.5  # round a face, as a part of its box
BEFORE = 5  # ordinary photos before the collages
PAUSE_SECONDS = 0.5  # after an ordinary photo that is done
POLL_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 10.0  # of an ordinary photo, until it is done


def run_collages(local: EmbeddedSite, photo: Path, collages: int, folder: Path) -> Report:
    """Send so many collages of the face in a photo at once, and the photo itself again and again until they are done.

    Raises: Declined.
    """
    client = local.client(collages + 4)
    face = _face(client, photo)
    files = [_collage(face, number, folder) for number in range(collages)]
    worker = local.worker_pid()
    over = threading.Event()
    alone = [_seconds_until_done(client, photo) for _ in range(BEFORE)]
    with MemoryWatch(local) as memory, ThreadPoolExecutor(collages + 1) as pool:
        start = time.perf_counter()
        crowds = [pool.submit(_ask_for_all, client, file) for file in files]
        ordinary = pool.submit(_send_again_and_again, client, photo, over)
        states = [crowd.result() for crowd in crowds]
        took = time.perf_counter() - start
        over.set()
        waits = ordinary.result()
    most = local.settings.max_faces
    faces = [len(state["faces"]) for state in states]
    warned = [bool(state["photos"][0].get("warning")) for state in states]
    return Report(
        {
            "collages, faces in each": f"{collages}, {COLUMNS**2}",
            "faces made of a collage": f"{min(faces)} to {max(faces)}",
            "all collages done after (s)": took,
            "ordinary photos meanwhile": len(waits),
            "an ordinary photo alone is done after, median (s)": quantile(alone, 0.5),
            "an ordinary photo is done after, median (s)": quantile(waits, 0.5),
            "an ordinary photo is done after, longest (s)": max(waits),
            "worker, most resident memory (MB)": round(memory.most_mb("worker")),
        },
        [
            *["the worker ended itself"] * (local.worker_pid() != worker),
            *[f"an ordinary photo waited {max(waits):.1f} s"] * (max(waits) > LONGEST_WAIT_SECONDS),
            *[f"a collage gave {count} faces" for count in faces if not 1 <= count <= most],
            *["a collage does not say that faces were left out"] * (not all(warned)),
        ],
    )


def _face(client: Client, photo: Path) -> Image.Image:
    """The face in a photo, with something round it, as large as a tile."""
    state = client.wait(client.submit([photo]))
    if not state["faces"]:
        raise Declined(f"{photo}: gives no face ({state['error']}); choose another photo")
    links = state["faces"][0]["links"]
    left, top, right, bottom = json.loads(client.request("GET", links["json"]).body)["detection"]["box"]
    margin = MARGIN * max(right - left, bottom - top)
    with Image.open(io.BytesIO(client.request("GET", links["photo"]).body)) as image:
        part = image.crop((round(left - margin), round(top - margin), round(right + margin), round(bottom + margin)))
        return part.resize((TILE, TILE), Image.Resampling.LANCZOS)


def _collage(face: Image.Image, number: int, folder: Path) -> Path:
    """A file of many faces, in another light each."""
    collage = Image.new("RGB", (COLUMNS * TILE, COLUMNS * TILE))
    for tile in range(COLUMNS**2):
        lit = ImageEnhance.Brightness(face).enhance(0.8 + 0.4 * ((7 * tile + number) % 100) / 100)
        collage.paste(lit, (tile % COLUMNS * TILE, tile // COLUMNS * TILE))
    path = folder / f"collage-{number}.jpg"
    collage.save(path, "JPEG", quality=90)
    return path


def _ask_for_all(client: Client, file: Path) -> dict:
    return client.wait(client.submit([file], faces="all"))


def _send_again_and_again(client: Client, photo: Path, over: threading.Event) -> list[float]:
    """Send a photo as soon as the one before is done; seconds that each took."""
    seconds = []
    while not over.wait(PAUSE_SECONDS) or not seconds:
        seconds.append(_seconds_until_done(client, photo))
    return seconds


def _seconds_until_done(client: Client, photo: Path) -> float:
    start = time.perf_counter()
    job = client.submit([photo])
    while True:
        state = client.request("GET", job["links"]["self"]).json()
        if state["status"] == "done":
            return time.perf_counter() - start
        if state["status"] == "failed":
            raise Declined(f"an ordinary photo failed: {state['error']}")
        time.sleep(POLL_SECONDS)
