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


@pytest.mark.skipif(sys.platform != "linux", reason="not Linux")
def test_code_that_is_let_go_of_comes_back_when_it_runs():
    code = """
import numpy, scipy.linalg
from pathlib import Path
from deep3d.memory import forget_code
def resident():
    return int(Path("/proc/self/status").read_text().split("RssFile:")[1].split()[0])
before = numpy.linalg.svd(numpy.eye(50))[1].sum()
had = resident()
forget_code()
print(had, resident(), numpy.linalg.svd(numpy.eye(50))[1].sum() == before)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    had, has = map(int, told[:2])
    assert had - has > 5000, "kilobytes"
    assert told[2] == "True"
