"""How much memory the allocator keeps for threads."""

import os
import subprocess
import sys

import pytest

from deep3d import memory


@pytest.mark.skipif(sys.platform != "linux" or os.confstr("CS_GNU_LIBC_VERSION") is None, reason="not glibc")
def test_threads_get_no_heaps_of_their_own():
    code = """
import ctypes, threading
from deep3d.memory import share_heaps
def tell_heaps():
    ctypes.CDLL(None).malloc_info(0, ctypes.c_void_p.in_dll(ctypes.CDLL(None), "stdout"))
share_heaps()
tell_heaps()
ready = threading.Barrier(9)
def allocate():
    kept = [bytes(1000) for _ in range(1000)]
    ready.wait()
    ready.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads: thread.start()
ready.wait()
tell_heaps()
ctypes.CDLL(None).fflush(None)
ready.wait()
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    before, after = (each.count("<heap nr=") for each in told.split("</malloc>")[:2])
    assert after <= max(before, memory.HEAPS)
