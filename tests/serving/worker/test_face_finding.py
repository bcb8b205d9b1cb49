"""Photos of many jobs share a batch, those of one person are a batch of their own."""

from typing import Any

import pytest

from deep3d.errors import NoFaceFound
from serving.jobs.runs import Run
from serving.worker.face_finding import Item, find_faces, shares_of


class Finder:
    """Finds the photos themselves, which are names here, twice each."""

    def __init__(self):
        self.batches = []
        self.qualities = []

    def with_quality(self, quality):
        self.qualities.append(quality)
        return self

    def one_by_one(self, photos, faces="largest", most=None) -> Any:
        self.batches.append((list(photos), faces, most))
        return [[photo] * (2 if faces == "all" else 1) for photo in photos]

    def same_person(self, photos) -> Any:
        if "nobody" in photos:
            raise NoFaceFound("none")
        return "+".join(photos)


def item(*photos: Any, faces_wanted="largest", same_person=False, quality="normal"):
    return Item(Run(1, "", 1, False, faces_wanted, same_person, quality, ()), photos)


@pytest.fixture
def finder():
    return Finder()


def test_each_gets_as_many_faces_as_it_wants(finder):
    assert list(find_faces(finder, [item("a"), item("b", faces_wanted="all")])) == [["a"], ["b", "b"]]
    assert finder.batches == [(["a"], "largest", None), (["b"], "all", 2)]


def test_a_person_stands_between_other_photos(finder):
    items = [item("a"), item("b", "c", same_person=True), item("d")]
    assert list(find_faces(finder, items)) == [["a"], "b+c", ["d"]]
    assert finder.batches == [(["a", "d"], "largest", None)]


def test_photos_of_different_qualities_share_no_call(finder):
    items = [item("a"), item("b", quality="best"), item("c"), item("d", "e", same_person=True, quality="best")]
    assert list(find_faces(finder, items)) == [["a"], ["b"], ["c"], "d+e"]
    assert finder.batches == [(["a", "c"], "largest", None), (["b"], "largest", None)]
    assert finder.qualities == ["normal", "best"]


def test_each_is_found_when_it_is_asked_for():
    class Slow(Finder):
        def one_by_one(self, photos, faces="largest", most=None) -> Any:
            for photo in photos:
                self.batches.append(photo)
                yield [photo]

    finder = Slow()
    found = find_faces(finder, [item("a"), item("b"), item("c")])
    assert (next(found), finder.batches) == (["a"], ["a"])


def test_a_person_without_a_face_has_none(finder):
    assert list(find_faces(finder, [item("nobody", same_person=True)])) == [[]]
    assert finder.batches == []


def test_what_happens_to_a_person_happens_to_each_photo():
    error = ValueError()
    assert shares_of(error, 2) == [error, error]
    assert shares_of([], 2) == [[], []]
