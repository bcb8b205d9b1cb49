"""The cores and the arithmetic that this machine offers."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import ContextDecorator
from functools import lru_cache
from math import ceil
from pathlib import Path
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController, threadpool_limits

from deep3d.memory import share_heaps

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_CPU_INFO = Path("/proc/cpuinfo")
_FLAGS = {"bf16": {"avx512_bf16", "amx_bf16"}, "int8": {"avx2"}}


def usable_cores() -> int:
    """Cores that this process may use: its affinity, and the quota of its container."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = (_CGROUP_QUOTA.read_text().strip() if _CGROUP_QUOTA.exists() else "max").partition(" ")
    return cores if quota == "max" else min(cores, ceil(int(quota) / int(period)))


class _OneBlasThread(ContextDecorator):
    """Within the block, or the decorated function, numpy and scipy multiply matrices on one core; afterwards as before.

    The matrices of a face are small, and a second thread that has helped with one waits for the next with a busy loop,
    on a core that the networks need: that costs a quarter of the time of a photo. A process has one BLAS for all its
    threads, so that all blocks of a process share this count of theirs.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._limit = _blas(*_loaded()).limit(limits=1, user_api="blas")

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit.restore_original_limits()


one_blas_thread = _OneBlasThread()


def _loaded() -> tuple[bool, ...]:
    """Which of the libraries that bring a BLAS of their own are loaded."""
    return tuple(name in sys.modules for name in ("numpy", "scipy.linalg"))


@lru_cache(maxsize=1)
def _blas(*_: bool) -> ThreadpoolController:
    """What controls the BLAS libraries of this process; to find them takes milliseconds."""
    return ThreadpoolController()


def take_over_process() -> None:
    """Let a process that is ours alone multiply matrices on one core, and all its threads share two heaps."""
    threadpool_limits(limits=1, user_api="blas")
    share_heaps()


def processor_precisions() -> tuple[str, ...]:
    """What the processor multiplies faster than, or as fast as, float32; others it would have to emulate."""
    flags = set(_CPU_INFO.read_text(encoding="utf-8").split() if _CPU_INFO.exists() else ())
    return ("fp32", *(precision for precision, any_of in _FLAGS.items() if flags & any_of))


def processor_name() -> str:
    """The processor's name and what it can do, as far as the system tells."""
    lines = _CPU_INFO.read_text(encoding="utf-8").splitlines() if _CPU_INFO.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or platform.machine()}, {' '.join(processor_precisions())}"
