"""Live visits: how many frames a second are answered, how old each answer is, and whether memory stays as it is.

The live process runs by itself. Each visitor is a thread that does as the page does: a camera of 30 frames a second,
one frame on its way at most, the newest when the line is free. An answer is as old as its frame, since it was taken.
Processor time of a frame tells what the machine could do if nobody else used it.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from serving.live.protocol import MOST_BYTES, SUBPROTOCOL
from serving.loadtest.processes import cpu_seconds, resident_mb
from serving.loadtest.report import Report, quantile
from serving.loadtest.servers import PATIENCE_SECONDS
from serving.settings import LIVE_PATH, PREFIX

LIVE = (sys.executable, "-m", "serving.live")
RATE = 30  # frames of a camera in a second
SIZE = (640, 480)
CLIP = 90  # frames, played forward and backward
QUALITY = 80  # of the JPEGs, as the page sends them
WARM_SECONDS = 10.0  # that do not count: identity is fitted, kernels are compiled
LARGEST_GROWTH = 0.05  # of memory from the first quarter to the last


@dataclass
class Visit:
    """What one visitor saw."""

    ages: list[float] = field(default_factory=list)  # seconds, of each answer
    faces: int = 0
    ended: str = ""  # why, if it was not the visitor


def run_live(
    visitors: int, minutes: float, command: Sequence[str] = LIVE, warm_seconds: float = WARM_SECONDS
) -> Report:
    """Let visitors come to a live process of this machine, and stay for so long."""
    frames = drawn_frames()
    visits = [Visit() for _ in range(visitors)]
    memory: list[float] = []
    processor: list[float] = []
    with live_process(command, visitors) as (address, pid):
        begin = time.monotonic() + warm_seconds
        end = begin + 60 * minutes
        threads = [threading.Thread(target=_stay, args=(address, frames, visit, begin, end)) for visit in visits]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            if time.monotonic() > begin:
                memory.append(resident_mb([pid]))
                processor.append(cpu_seconds(pid))
            time.sleep(min(1.0, 15 * minutes))
    return _report(visits, memory, processor[-1] - processor[0], 60 * minutes)


def drawn_frames() -> list[bytes]:
    """JPEGs of a made-up person who talks and turns."""
    import simplejpeg

    from deep3d import default_face_model
    from deep3d.synthetic.clips import talking_clip

    clip = talking_clip(default_face_model(), CLIP, size=SIZE)
    frames = [simplejpeg.encode_jpeg(pixels, quality=QUALITY, colorspace="RGB") for pixels in clip]
    return [*frames, *reversed(frames)]


@contextmanager
def live_process(command: Sequence[str], sessions: int) -> Iterator[tuple[str, int]]:
    """A live process of its own, its address and its number; it has the networks when a visitor is welcomed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"LIVE_PORT": str(port), "LIVE_SESSIONS": str(sessions), "LOG_LEVEL": "WARNING"}
    environ = {**os.environ, **{PREFIX + name: value for name, value in settings.items()}}
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE) as process:
        try:
            _wait_for(port)
            yield f"ws://127.0.0.1:{port}{LIVE_PATH}", process.pid
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _stay(address: str, frames: Sequence[bytes], visit: Visit, begin: float, end: float) -> None:
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect
    from websockets.typing import Subprotocol

    try:
        with connect(address, subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None, max_size=MOST_BYTES) as line:
            line.recv(timeout=PATIENCE_SECONDS)
            opened = time.monotonic()
            last = -1
            while time.monotonic() < end:
                number = max(last + 1, int((time.monotonic() - opened) * RATE))  # the camera's newest frame
                taken = opened + number / RATE
                time.sleep(max(0.0, taken - time.monotonic()))
                line.send(struct.pack("<II", number, int(1000 * number / RATE)) + frames[number % len(frames)])
                answer = line.recv(timeout=PATIENCE_SECONDS)
                last = number
                if taken > begin:
                    visit.ages.append(time.monotonic() - taken)
                    visit.faces += answer[4] == 1
    except (WebSocketException, OSError) as error:
        visit.ended = str(error) or type(error).__name__


def _report(visits: Sequence[Visit], memory: Sequence[float], processor: float, seconds: float) -> Report:
    ages = [age for visit in visits for age in visit.ages]
    quarter = max(1, len(memory) // 4)
    first, last = (sum(part) / max(1, len(part)) for part in (memory[:quarter], memory[-quarter:]))
    figures: dict[str, float | str] = {
        "visitors": f"{len(visits)}",
        "frames a second of each visitor, the least": min(len(visit.ages) for visit in visits) / max(seconds, 1e-9),
        "age of an answer, median (ms)": 1000 * quantile(ages, 0.5),
        "95th percentile (ms)": 1000 * quantile(ages, 0.95),
        "longest (ms)": 1000 * quantile(ages, 1),
        "processor time of a frame (ms)": 1000 * processor / max(1, len(ages)),
        "answers with a face": f"{sum(visit.faces for visit in visits)} of {len(ages)}",
        "memory, first and last quarter (MB)": f"{first:.0f}, {last:.0f}",
    }
    faults = [f"a session ended: {visit.ended}" for visit in visits if visit.ended]
    if last > first * (1 + LARGEST_GROWTH):
        faults.append(f"memory grew from {first:.0f} to {last:.0f} MB")
    return Report(figures, faults)
