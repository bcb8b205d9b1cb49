"""The outside of confined processes: a few of them, started when they are first needed, and again when one has died."""

from __future__ import annotations

import io
import logging
import queue
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from serving.confined.messages import Broken, Values, receive, send
from serving.errors import Busy, ServingError

START_SECONDS = 60.0  # on a machine with much to do
RETRY_SECONDS = 5  # after which somebody may ask again for whom there was no turn

Content = Callable[[], IO[bytes]]

_log = logging.getLogger(__name__)


class Overrun(ServingError):
    """A call took more time or memory than it may; the process that was at it is gone."""


class Pool:
    """So many processes that run one program, a module that calls `inside.answer_calls`; for any number of threads."""

    def __init__(self, program: str, processes: int, *, waiting: int, patience: float, seconds: float) -> None:
        """`waiting` calls wait for their turn at most, for `patience` seconds each, and take `seconds` themselves."""
        self._waiting = threading.BoundedSemaphore(processes + waiting)
        self._patience = patience
        self._seconds = seconds
        self._processes = [_Process(program) for _ in range(processes)]
        self._free: queue.LifoQueue[_Process] = queue.LifoQueue()
        for process in self._processes:
            self._free.put(process)
        weakref.finalize(self, _end, self._processes)

    def call(self, values: Values, content: Content = io.BytesIO, most: int = 1 << 27) -> tuple[Values, bytes]:
        """What a process answers, with `most` bytes at most; `content` is called once it has its turn.

        Raises: Busy where too many others wait, Overrun.
        """
        if not self._waiting.acquire(blocking=False):
            raise Busy(RETRY_SECONDS)
        try:
            process = self._free.get(timeout=self._patience)
        except queue.Empty:
            raise Busy(RETRY_SECONDS) from None
        else:
            try:
                return process.call(values, content, most, self._seconds)
            finally:
                self._free.put(process)
        finally:
            self._waiting.release()

    def start(self) -> None:
        """Start the processes now rather than at the first call, for which nobody has to wait then."""
        for process in self._processes:
            threading.Thread(target=process.start, daemon=True).start()

    def close(self) -> None:
        """End the processes."""
        _end(self._processes)


class _Process:
    """One process, or none at the moment."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()

    def start(self) -> subprocess.Popen[bytes]:
        """The process, ready for a call.

        Raises: Overrun if it does not start; the log tells why.
        """
        with self._starting:
            if self._process is None or self._process.poll() is not None:
                self.end()
                command = [sys.executable, "-m", self._program]
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                with self._watched(self._process, START_SECONDS):
                    self._receive(self._process, 0)
            return self._process

    def call(self, values: Values, content: Content, most: int, seconds: float) -> tuple[Values, bytes]:
        """As `Pool.call`."""
        process = self.start()
        assert process.stdin is not None
        with self._watched(process, seconds):
            with suppress(Broken):  # which the answer tells
                send(process.stdin, values, content())
            told, answer = self._receive(process, most)
        if "mistake" in told:
            _log.error("%s fails: %s", self._program, told["mistake"])
            raise Overrun("a mistake of ours")
        if "overrun" in told:
            raise Overrun("too much memory")
        return told, answer

    def end(self) -> None:
        """Leave nothing of the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _receive(self, process: subprocess.Popen[bytes], most: int) -> tuple[Values, bytes]:
        assert process.stdout is not None
        try:
            return receive(process.stdout, most)
        except Broken:
            self.end()
            raise Overrun(f"{self._program} ended with code {process.returncode}") from None

    @contextmanager
    def _watched(self, process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
        """End the process if the block takes longer."""
        watch = threading.Timer(seconds, process.kill)
        watch.start()
        try:
            yield
        finally:
            watch.cancel()


def _end(processes: list[_Process]) -> None:
    for process in processes:
        process.end()
