"""Ctrl-C and SIGTERM as a wish that is granted after the step at hand, so that the state is one of a whole step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class StopWish:
    """Whether somebody wants the run to stop."""

    def __init__(self) -> None:
        self.felt = False

    def feel(self, *_: object) -> None:
        """The signal handler."""
        self.felt = True


@contextmanager
def stop_wish() -> Iterator[StopWish]:
    """Catch both signals as long as this lasts; outside of the main thread, which alone gets them, none comes."""
    wish = StopWish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    before = {number: signal.signal(number, wish.feel) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_interrupt(_worker: int = 0) -> None:
    """For helping processes: Ctrl-C is for training, which then ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
