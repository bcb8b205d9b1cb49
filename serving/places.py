"""Places at what takes long: a few are at it, a few more wait for a while, and whoever finds none comes again later."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from serving.errors import Busy

RETRY_SECONDS = 5


class Places:
    """For any number of threads; `what` are the requests in the words of an error."""

    def __init__(self, what: str, at_once: int, *, waiting: int, patience: float) -> None:
        """`waiting` wait for their turn at most, for `patience` seconds each."""
        self._what = what
        self._inside = threading.BoundedSemaphore(at_once)
        self._all = threading.BoundedSemaphore(at_once + waiting)
        self._patience = patience

    @contextmanager
    def take(self) -> Iterator[None]:
        """Have a place for the block.

        Raises: Busy.
        """
        if not self._all.acquire(blocking=False):
            raise Busy(RETRY_SECONDS, self._what)
        try:
            if not self._inside.acquire(timeout=self._patience):
                raise Busy(RETRY_SECONDS, self._what)
            try:
                yield
            finally:
                self._inside.release()
        finally:
            self._all.release()
