"""The inside of a confined process: it answers calls one by one, and keeps to the limits that each call sets."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from collections.abc import Callable

from serving.confined.messages import Broken, Values, receive, send

try:
    import resource
except ImportError:  # Windows: whoever called still ends this process when its time is over
    resource = None

MOST_BYTES = 1 << 30  # of one call

Answer = Callable[[Values, bytes], tuple[Values, bytes]]


def answer_calls(answer: Answer) -> None:
    """Answer until nobody calls any more; once ready, what libraries write on standard output and error is lost."""
    calls = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    try:
        send(answers, {"ready": True}, io.BytesIO())
        while True:
            values, content = _answered(answer, *receive(calls, MOST_BYTES))
            send(answers, values, io.BytesIO(content))
            del content
    except Broken:
        sys.exit(0)


def limit(seconds: float, megabytes: float) -> None:
    """From now on this process may use so much processor time and so much memory more; beyond the first it dies.

    Beyond the second there is a MemoryError, or whatever native code makes of it.
    """
    if resource is not None:
        signal.setitimer(signal.ITIMER_PROF, seconds)
    if (now := _memory()) is not None and resource is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (now + int(megabytes * 1e6), hard))


def write_no_files() -> None:
    """From now on this process cannot write into files, not even its own remains after a crash."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answered(answer: Answer, values: Values, content: bytes) -> tuple[Values, bytes]:
    try:
        return answer(values, content)
    except MemoryError:
        return {"overrun": True}, b""
    except Exception:  # a mistake of ours: whoever called has a log
        return {"mistake": traceback.format_exc()}, b""
    finally:
        if resource is not None:
            signal.setitimer(signal.ITIMER_PROF, 0)


def _memory() -> int | None:
    """Bytes that count against RLIMIT_DATA; None where no system tells."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmData:"))
    except (OSError, StopIteration):
        return None
