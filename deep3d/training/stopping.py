"""Ctrl-C and SIGTERM as a request to stop after the current step, so that the saved state is that of a whole step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class StopRequest:
    """Whether the run should stop."""

    def __init__(self) -> None:
        self.received = False

    def receive(self, *_: object) -> None:
        """The signal handler."""
        self.received = True


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Catch both signals within the block. Only the main thread receives signals."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request.receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_interrupt(_worker: int = 0) -> None:
    """For helper processes: Ctrl-C is for the training process, which then ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
