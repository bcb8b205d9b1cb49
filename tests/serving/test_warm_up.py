"""The first job of a worker is nobody's, and comes before it counts as at work."""

import os
import subprocess
import sys

import pytest

from deep3d import Reconstructor, default_face_model, write_results
from serving import worker
from serving.settings import Settings
from serving.warm_up import mean_face, warm_up
from serving.worker import HEAPS


class Finder:
    def __init__(self, faces, face_model=None):
        self.faces = faces
        self.face_model = face_model
        self.seen = []

    def reconstruct(self, photos, faces="largest"):
        self.seen += photos
        return [self.faces]


@pytest.fixture(scope="module")
def model():
    return default_face_model()


@pytest.mark.parametrize("faces", [[], ["a face"], ["two", "faces"]])
def test_one_face_is_made_and_thrown_away(model, faces):
    finder, written = Finder(faces), []
    warm_up(finder, lambda face, folder: written.append((face, folder)), model)
    assert len(finder.seen) == 1
    assert [face for face, _ in written] == faces[:1]
    assert not any(folder.parent.exists() for _, folder in written)


def test_the_detector_takes_the_drawn_face_for_one(model, tmp_path):
    [faces] = Reconstructor.load().reconstruct([mean_face(model)])
    assert len(faces) == 1
    write_results(faces[0], tmp_path / "face")


def test_the_network_is_warm_when_it_is_handed_over(monkeypatch):
    finder = Finder([], default_face_model())
    monkeypatch.setattr(Reconstructor, "load", lambda **arguments: finder)
    assert worker.load_network(Settings()) is finder
    assert len(finder.seen) == 1


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
