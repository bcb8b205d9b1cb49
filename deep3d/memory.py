"""The memory that a process keeps without a use for it: what its allocator has freed, and code that has run."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HEAPS = 1  # of the allocator, for all threads
LARGE = 8_000_000  # bytes of a block that lies outside the heap, and goes back to the system when it is freed
KEPT = 32_000_000  # free bytes at the heap's end, from which it shrinks
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_MADV_DONTNEED = 4  # sys/mman.h
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r-[x-]p \w+ \S+ \d+ +/")
_OWN = re.compile(r"(?:Anonymous|Swap): +[1-9]")  # pages that are not those of the file any more


def share_heaps() -> None:
    """Let all threads allocate from one heap from now on: for processes of our own, since a host may want more.

    glibc would give each thread its own, up to eight for each core, and what is freed in one is of no use to the
    others: 30 MB where one photo is worked on, 400 MB where 16 are; a second heap alone costs 50 MB. It would also put
    ever larger blocks into the heap, whose holes nothing fits: 20 MB. And it would give the heap's end back with every
    128 KB that become free there, only to ask for them again: 25 MB for each face, which the system has to clear, and
    40 ms. Elsewhere nothing happens.
    """
    _glibc("mallopt", _M_ARENA_MAX, HEAPS)
    _glibc("mallopt", _M_MMAP_THRESHOLD, LARGE)
    _glibc("mallopt", _M_TRIM_THRESHOLD, KEPT)


def give_back_memory() -> None:
    """Hand free memory back to the system, where glibc keeps it.

    Some 100 MB once a network is built, some 50 once the files of a face are written. For a process that has nothing to
    do: it takes a millisecond, and the next face ten more, since the system has to clear the same memory again.
    """
    _glibc("malloc_trim", 0)


def forget_code() -> None:
    """Let go of the pages of libraries and programs; those that run again are mapped again, from the system's cache.

    Some 80 MB of a worker that has seen its first face: most of it is the compiler, which has put the kernels together
    and is not needed again.
    """
    for start, end in _code() if sys.platform == "linux" else ():
        _glibc("madvise", ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)


def _code() -> Iterator[tuple[int, int]]:
    """Where files lie in memory that nobody can write to and whose pages are all those of the file."""
    for mapping in re.split(r"^(?=[0-9a-f]+-)", Path("/proc/self/smaps").read_text(), flags=re.MULTILINE):
        if (found := _MAPPING.match(mapping)) and not _OWN.search(mapping):
            yield int(found[1], 16), int(found[2], 16)


def _glibc(function: str, *arguments: object) -> None:
    """Call a function that glibc has, and other C libraries have not."""
    call = getattr(ctypes.CDLL(None), function, None) if sys.platform == "linux" else None
    if call is not None:
        call(*arguments)
