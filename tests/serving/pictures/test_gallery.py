"""Pictures that somebody waits for: drawn elsewhere, a few at a time, kept within bounds, fair between jobs."""

import threading
import time

import pytest

from serving.confined import Overrun
from serving.errors import Busy, RenderingFailed
from serving.pictures import kept
from serving.pictures.drawing import draw
from serving.pictures.gallery import WAITING_OF_A_JOB, Gallery
from serving.pictures.views import Look, files_of
from serving.store.storage import Storage
from tests.serving.conftest import write_mean_face

SIZE = 256
FACE = "jobs/1/run-1/photo-0-face-0"


@pytest.fixture
def storage(tmp_path):
    storage = Storage(f"file://{tmp_path}/files")
    write_mean_face(storage, FACE)
    return storage


@pytest.fixture
def gallery(storage):
    return Gallery(storage)


class Drawers:
    """Draw letters; while `busy` is held, slowly."""

    def __init__(self):
        self.calls = 0
        self.busy = threading.Lock()

    def call(self, values, content):
        self.calls += 1
        with self.busy:
            return {}, b"x" * values["size"]


@pytest.fixture
def drawers(gallery):
    gallery.pool = Drawers()
    return gallery.pool


def keeps_pictures(storage):
    return storage.exists("jobs/1/pictures")


def test_a_picture_is_drawn_by_another_process(gallery, storage):
    picture = gallery.picture(FACE, (30.0, 0.0), SIZE, "grey")
    assert picture == draw(files_of(storage, FACE), (30.0, 0.0), SIZE, (233, 233, 233))


def test_pictures_that_many_ask_for_are_kept(gallery, drawers):
    assert gallery.picture(FACE, (30.0, 0.0), SIZE, "white") == gallery.picture(FACE, (30.0, 0.0), SIZE, "white")
    assert drawers.calls == 1


def test_each_look_is_kept_by_itself(gallery, drawers):
    looks = [Look(), Look("clay"), Look("relit"), Look("relit", "night")]
    for look in [*looks, *looks]:
        gallery.picture(FACE, (30.0, 0.0), SIZE, "white", look)
    assert drawers.calls == len(looks)


@pytest.mark.parametrize("look", [Look("clay"), Look("normals")])
def test_another_look_is_drawn_within_the_limits_of_the_process(gallery, storage, look):
    picture = gallery.picture(FACE, (30.0, 0.0), SIZE, "grey", look)
    assert picture == draw(files_of(storage, FACE, look), (30.0, 0.0), SIZE, (233, 233, 233), look)


@pytest.mark.parametrize(
    ("view", "size", "background"),
    [((0.5, 0.0), SIZE, "white"), ((0.0, 0.0), 65, "white"), ((0.0, 0.0), SIZE, "102030")],
)
def test_other_pictures_fill_no_disk(gallery, drawers, storage, view, size, background):
    gallery.picture(FACE, view, size, background)
    assert not keeps_pictures(storage)


def test_no_job_keeps_more_than_so_many_bytes(gallery, drawers, storage, monkeypatch):
    monkeypatch.setattr(kept, "MOST_BYTES_OF_A_JOB", 3 * SIZE)
    write_mean_face(storage, "jobs/1/run-1/photo-0-face-1")
    for yaw in range(20):
        gallery.picture("jobs/1/run-1/photo-0-face-0", (yaw, 0), SIZE, "white")
        gallery.picture("jobs/1/run-1/photo-0-face-1", (yaw, 0), SIZE, "white")
    assert storage.size("jobs/1/pictures") == 3 * SIZE
    assert drawers.calls == 40
    gallery.picture("jobs/1/run-1/photo-0-face-0", (0, 0), SIZE, "white")
    assert drawers.calls == 40


def test_nothing_is_kept_of_a_face_that_is_deleted_while_it_is_drawn(gallery, storage):
    class Deleting:
        def call(self, values, content):
            storage.delete("jobs/1")
            return {}, b"picture"

    gallery.pool = Deleting()
    gallery.picture(FACE, (0, 0), SIZE, "white")
    assert not storage.exists("jobs/1/pictures/run-1-photo-0-face-0/256_white_face_yaw+0_pitch+0.jpg")


def test_nobody_takes_all_places_for_one_job(gallery, drawers, storage):
    other = "jobs/2/run-1/photo-0-face-0"
    write_mean_face(storage, other)
    with drawers.busy:
        first = [
            threading.Thread(target=gallery.picture, args=(FACE, (yaw, 0), 64, "white"))
            for yaw in range(WAITING_OF_A_JOB)
        ]
        for thread in first:
            thread.start()
        while drawers.calls < WAITING_OF_A_JOB:
            time.sleep(0.01)
        with pytest.raises(Busy) as told:
            gallery.picture(FACE, (90, 0), 64, "white")
        assert told.value.retry_after > 0
        second = threading.Thread(target=gallery.picture, args=(other, (0, 0), 64, "white"))
        second.start()
        while drawers.calls < WAITING_OF_A_JOB + 1:
            time.sleep(0.01)
    for thread in [*first, second]:
        thread.join()
    assert gallery.picture(FACE, (90, 0), 64, "white")


def test_a_picture_that_takes_too_much_is_told_as_failed(gallery):
    class Dying:
        def call(self, values, content):
            raise Overrun("ended")

    gallery.pool = Dying()
    with pytest.raises(RenderingFailed):
        gallery.picture(FACE, (0, 0), SIZE, "white")
