"""The memory that a process keeps although it has freed it: how much glibc's allocator holds on to."""

from __future__ import annotations

import ctypes
import sys

HEAPS = 2  # of the allocator, for all threads
_M_ARENA_MAX = -8  # malloc.h


def share_heaps() -> None:
    """Let all threads allocate from two heaps from now on: for processes of our own, since a host may want more.

    glibc would give each thread its own, up to eight for each core, and what is freed in one is of no use to the
    others: 30 MB where one photo is worked on, 400 MB where 16 are. Elsewhere nothing happens.
    """
    _glibc("mallopt", _M_ARENA_MAX, HEAPS)


def give_back_memory() -> None:
    """Hand free memory back to the system, where glibc keeps it.

    Some 100 MB once a network is built, some 50 once the files of a face are written. For a process that has nothing to
    do: it takes a millisecond, and the next face ten more, since the system has to clear the same memory again.
    """
    _glibc("malloc_trim", 0)


def _glibc(function: str, *arguments: int) -> None:
    """Call a function that glibc has, and other C libraries have not."""
    call = getattr(ctypes.CDLL(None), function, None) if sys.platform == "linux" else None
    if call is not None:
        call(*arguments)
