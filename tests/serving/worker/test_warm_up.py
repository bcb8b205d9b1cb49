"""The first job of a worker is nobody's, and comes before it counts as at work."""

from typing import Any

import numpy as np
import pytest

from deep3d import Reconstructor, SamePerson
from deep3d.errors import NoFaceFound
from deep3d.files.assets import sample_photo
from deep3d.photo import read_photo
from serving.settings import Settings
from serving.worker import process
from serving.worker.warm_up import warm_up


class Finder:
    """Finds a face in every photo, or in none."""

    def __init__(self, finds):
        self.finds = finds
        self.seen = []

    def with_quality(self, quality):
        return self

    def one_by_one(self, photos, faces="largest", most=None):
        raise AssertionError("two photos take the longest way")

    def same_person(self, photos):
        self.seen += photos
        if not self.finds:
            raise NoFaceFound("none")
        return Together((None,), np.ones(1), ())


class Together(SamePerson):
    merged: Any = "a face"


@pytest.mark.parametrize("finds", [True, False])
def test_one_face_is_made_and_thrown_away(finds):
    finder, written = Finder(finds), []
    warm_up(finder, lambda face, folder: written.append((face, folder)))
    assert len(finder.seen) == 2
    assert [face for face, _ in written] == ["a face"] * finds
    assert not any(folder.parent.exists() for _, folder in written)


def test_the_sample_has_one_face_and_hair():
    found = Reconstructor.load(hair="shell").reconstruct([read_photo(sample_photo())])[0]
    assert len(found) == 1 and found[0].hair is not None


def test_the_network_is_warm_when_it_is_handed_over(monkeypatch):
    finder = Finder(True)
    monkeypatch.setattr(Reconstructor, "load", lambda **arguments: finder)
    monkeypatch.setattr(process, "write_files", lambda face, folder: None)
    assert process.load_network(Settings()) is finder
    assert len(finder.seen) == 2
