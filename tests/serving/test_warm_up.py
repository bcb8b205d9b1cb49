"""The first job of a worker is nobody's, and comes before it counts as at work."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from deep3d import Reconstructor, SamePerson, default_face_model
from deep3d.errors import NoFaceFound
from serving import worker
from serving.settings import Settings
from serving.warm_up import mean_face, warm_up
from serving.worker import HEAPS


class Finder:
    """Finds a face in every photo, or in none."""

    def __init__(self, finds, face_model=None):
        self.finds = finds
        self.face_model = face_model
        self.seen = []

    def reconstruct(self, photos, faces="largest"):
        raise AssertionError("two photos take the longest way")

    def same_person(self, photos):
        self.seen += photos
        if not self.finds:
            raise NoFaceFound("none")
        return Together((None,), np.ones(1), ())


class Together(SamePerson):
    merged: Any = "a face"


@pytest.fixture(scope="module")
def model():
    return default_face_model()


@pytest.mark.parametrize("finds", [True, False])
def test_one_face_is_made_and_thrown_away(model, finds):
    finder, written = Finder(finds), []
    warm_up(finder, lambda face, folder: written.append((face, folder)), model)
    assert len(finder.seen) == 2
    assert [face for face, _ in written] == ["a face"] * finds
    assert not any(folder.parent.exists() for _, folder in written)


def test_the_detector_takes_the_drawn_face_for_one(model):
    assert len(Reconstructor.load().reconstruct([mean_face(model)])[0]) == 1


def test_the_network_is_warm_when_it_is_handed_over(monkeypatch):
    finder = Finder(True, default_face_model())
    monkeypatch.setattr(Reconstructor, "load", lambda **arguments: finder)
    monkeypatch.setattr(worker, "write_results", lambda face, folder: None)
    assert worker.load_network(Settings()) is finder
    assert len(finder.seen) == 2


@pytest.mark.skipif(sys.platform != "linux" or os.confstr("CS_GNU_LIBC_VERSION") is None, reason="not glibc")
def test_the_threads_of_a_worker_get_no_heaps_of_their_own():
    code = """
import ctypes, threading
from serving.worker import _share_heaps
def tell_heaps():
    ctypes.CDLL(None).malloc_info(0, ctypes.c_void_p.in_dll(ctypes.CDLL(None), "stdout"))
_share_heaps()
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
    assert after <= max(before, HEAPS)
