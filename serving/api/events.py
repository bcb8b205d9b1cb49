"""Server-sent events of one job: its whole state at each change, a sign of life in between."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

from flask import current_app

from serving.api.models import job_answer
from serving.errors import Refused
from serving.jobs import lookup
from serving.site import Site

POLL_SECONDS = 0.5
SIGN_OF_LIFE_SECONDS = 15
LONGEST_SECONDS = 300  # browsers come back by themselves, and each stream holds a thread
MOST_STREAMS = 24  # for each process; who gets none asks from time to time instead


def job_events(site: Site, secret: str) -> Iterator[str]:
    """The events of a job until it is over.

    Raises: Refused while too many streams are open.
    """
    streams: threading.BoundedSemaphore = current_app.extensions["streams"]
    if not streams.acquire(blocking=False):
        raise Refused("events", "Too many clients are watching. Please poll instead.", 503)
    return _Released(_events(site, secret), streams)


def _events(site: Site, secret: str) -> Iterator[str]:
    yield "retry: 2000\n\n"
    last, quiet_since, end = "", time.monotonic(), time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end:
        state = lookup.state(site, secret)
        event = json.dumps(job_answer(site.storage, secret, state).model_dump(by_alias=True))
        if event != last:
            last, quiet_since = event, time.monotonic()
            yield f"data: {event}\n\n"
        elif time.monotonic() - quiet_since > SIGN_OF_LIFE_SECONDS:
            quiet_since = time.monotonic()
            yield ": still there\n\n"
        if state.over:
            return
        time.sleep(POLL_SECONDS)


class _Released(Iterator[str]):
    """A stream that gives its place back when it is closed, even if nobody ever read from it."""

    def __init__(self, events: Iterator[str], streams: threading.BoundedSemaphore) -> None:
        self._events = events
        self._streams: threading.BoundedSemaphore | None = streams

    def __next__(self) -> str:
        return next(self._events)

    def close(self) -> None:
        """Called by the server when the answer is over or the reader is gone."""
        if self._streams is not None:
            self._streams.release()
            self._streams = None
