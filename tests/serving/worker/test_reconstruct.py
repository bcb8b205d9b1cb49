"""What a worker makes of a job: errors that can pass put it back, those of a photo end it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deep3d import Photo, SamePerson
from deep3d.errors import NoFaceFound
from serving.errors import StorageFull
from serving.jobs import heartbeats, lookup, reasons, submission
from serving.jobs.submission import Submission
from serving.metrics import WorkerMetrics
from serving.store.tables import Status
from serving.worker import reconstruct
from serving.worker.reconstruct import ReconstructJob, TransientError
from serving.worker.turns import Turns


class Finder:
    """Finds as many faces as the name of the photo says."""

    def __init__(self):
        self.batches = []

    def with_quality(self, quality):
        return self

    def one_by_one(self, photos, faces="largest", most=None):
        self.batches.append([photo.name for photo in photos])
        if any(photo.name == "bug" for photo in photos):
            raise ZeroDivisionError
        return [[photo] * min(int(photo.name), most or 1) for photo in photos]

    def same_person(self, photos):
        faces = tuple(photo if int(photo.name) else None for photo in photos)
        if not any(faces):
            raise NoFaceFound("none")
        weight = np.array([float(photo.name) for photo in photos])
        strangers = tuple(number for number, photo in enumerate(photos) if photo.name == "7")
        return Together(faces, weight, strangers)


class Together(SamePerson):
    """Photos whose names say how much they count; 7 is a stranger."""

    @cached_property
    def merged(self) -> Any:
        return Photo(np.zeros((1, 1, 3), np.uint8), "merged", "")


def write(face, folder):
    folder.mkdir()
    (folder / "face.json").write_text(face.name)


@pytest.fixture
def finder():
    return Finder()


@pytest.fixture
def work(site, finder):
    worker = heartbeats.register(site)
    return ReconstructJob(site, finder, worker, WorkerMetrics(), write)


def submit(site, photo, *names, **fields):
    return submission.submit(site, Submission([replace(photo, name=name) for name in names], **fields))


def test_each_photo_has_its_own_outcome(site, clean_photo, work, finder):
    job = submit(site, clean_photo, "1", "0", "bug", "2", faces_wanted="all")
    work(job.id)
    job = lookup.find(site, str(job.secret))
    assert job.status == Status.DONE
    assert [(face.photo, face.number) for face in job.faces] == [(0, 0), (3, 0), (3, 1)]
    assert [upload.error is None for upload in job.uploads] == [True, False, False, True]
    assert finder.batches == [["1"], ["0"], ["bug"], ["2"]], "those with many faces each by itself"
    assert site.storage.read(f"{lookup.face_folder(job, 2)}/face.json") == b"2"


def test_a_face_keeps_what_was_said_of_its_file_when_it_was_sent(site, clean_photo, finder):
    said = []

    def write_one(face, folder):
        said.append(face.warnings)
        write(face, folder)

    work = ReconstructJob(site, finder, heartbeats.register(site), WorkerMetrics(), write_one)
    work(submit(site, replace(clean_photo, warnings=("It is cut off.",)), "1").id)
    work(submit(site, clean_photo, "1").id)
    assert said == [("It is cut off.",), ()]


def test_a_job_has_so_many_faces_and_says_where_there_were_more(site, clean_photo, finder):
    few = replace(site, settings=replace(site.settings, max_faces=6))
    work = ReconstructJob(few, finder, heartbeats.register(site), WorkerMetrics(), write)
    job = submit(site, clean_photo, "2", "100", "9", faces_wanted="all")
    work(job.id)
    job = lookup.find(site, str(job.secret))
    assert [face.photo for face in job.faces] == [0, 0, 1, 1, 1, 2], "each photo gives one at least"
    assert [upload.error for upload in job.uploads] == [None, reasons.LEFT_OUT, reasons.LEFT_OUT]


def test_others_have_their_turn_between_the_faces_of_a_crowd(site, clean_photo, finder):
    written = []
    begun, go_on = threading.Event(), threading.Event()

    def write_one(face, folder):
        begun.set()
        assert go_on.wait(30)
        written.append(face.name)
        write(face, folder)

    work = ReconstructJob(site, finder, heartbeats.register(site), WorkerMetrics(), write_one)
    work._writing = Turns(1)
    crowds = [submit(site, clean_photo, "20", faces_wanted="all") for _ in range(2)]
    ordinary = submit(site, clean_photo, "1")
    with ThreadPoolExecutor(3) as pool:
        first = [pool.submit(work, job.id) for job in crowds]
        assert begun.wait(30)
        last = pool.submit(work, ordinary.id)
        while len(work._writing._waiting) < 2:
            time.sleep(0.01)
        go_on.set()
        for each in [*first, last]:
            each.result()
    assert written.index("1") <= 3, "it waits for the one at hand, and for the first of the other crowd"
    assert written.count("20") == 40


def test_crowds_leave_threads_for_others(site, clean_photo, finder):
    few = replace(site, settings=replace(site.settings, worker_threads=2))
    work = ReconstructJob(few, finder, heartbeats.register(site), WorkerMetrics(), write)
    job = submit(site, clean_photo, "3", faces_wanted="all")
    with work._places_of_crowds:
        with pytest.raises(TransientError):
            work(job.id)
        assert lookup.find(site, str(job.secret)).status == Status.SUBMITTED
        work(submit(site, clean_photo, "3").id)
    work(job.id)
    assert len(lookup.find(site, str(job.secret)).faces) == 3


def test_a_job_that_takes_too_long_ends_with_what_it_has(site, clean_photo, finder, monkeypatch):
    short = replace(site, settings=replace(site.settings, job_seconds=2.0))
    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr(reconstruct, "time", clock)

    def write_slowly(face, folder):
        clock.now += 1.5
        write(face, folder)

    work = ReconstructJob(short, finder, heartbeats.register(site), WorkerMetrics(), write_slowly)
    job = submit(site, clean_photo, "20", "1", faces_wanted="all")
    work(job.id)
    job = lookup.find(site, str(job.secret))
    assert job.status == Status.DONE
    assert len(job.faces) == 2
    assert [upload.error for upload in job.uploads] == [reasons.TOO_LONG] * 2


def test_only_the_largest_face_is_kept_unless_all_are_wanted(site, clean_photo, work):
    job = submit(site, clean_photo, "3")
    work(job.id)
    assert len(lookup.find(site, str(job.secret)).faces) == 1


def test_a_job_without_a_face_has_failed_and_says_why(site, clean_photo, work):
    job = submit(site, clean_photo, "0")
    work(job.id)
    job = lookup.find(site, str(job.secret))
    assert job.status == Status.FAILED
    assert reasons.of_job(job) == "0: no face found; please use a photo with a larger face."


def test_a_second_message_does_nothing(site, clean_photo, work, finder):
    job = submit(site, clean_photo, "1")
    work(job.id)
    work(job.id)
    assert len(finder.batches) == 1


def test_a_full_disk_puts_the_job_back_until_there_is_room(site, clean_photo, work, monkeypatch):
    job = submit(site, clean_photo, "1")

    def full(name, folder):
        raise StorageFull("no room")

    with monkeypatch.context() as context:
        context.setattr(site.storage, "move_folder", full)
        work(job.id)
    assert lookup.find(site, str(job.secret)).status == Status.QUEUED
    work(job.id)
    assert lookup.find(site, str(job.secret)).status == Status.DONE


def test_a_job_whose_files_are_gone_ends(site, clean_photo, work):
    job = submit(site, clean_photo, "1")
    site.storage.delete(job.folder)
    work(job.id)
    job = lookup.find(site, str(job.secret))
    assert (job.status, job.error) == (Status.FAILED, reasons.OUR_MISTAKE)


def test_photos_of_one_person_give_one_face_of_the_surest(site, clean_photo, work):
    job = submit(site, clean_photo, "1", "0", "9", "7", same_person=True)
    work(job.id)
    job = lookup.find(site, str(job.secret))
    assert job.status == Status.DONE
    assert [(face.photo, face.number) for face in job.faces] == [(2, 0)]
    assert [upload.error for upload in job.uploads] == [None, reasons.NO_FACE, None, reasons.STRANGER]
    assert site.storage.read(f"{lookup.face_folder(job, 0)}/face.json") == b"merged"


def test_photos_of_one_person_without_a_face_say_so(site, clean_photo, work):
    job = submit(site, clean_photo, "0", "0", same_person=True)
    work(job.id)
    job = lookup.find(site, str(job.secret))
    assert (job.status, job.error) == (Status.FAILED, reasons.NO_FACE)


def test_memory_is_given_back_once_nothing_is_at_hand(site, clean_photo, work, monkeypatch):
    given = []
    monkeypatch.setattr("serving.worker.reconstruct.give_back_memory", lambda: given.append(sorted(work.at_hand())))
    first, second = submit(site, clean_photo, "1"), submit(site, clean_photo, "1")

    def another(face, folder):
        write(face, folder)
        if not work.busy:
            work.busy = True
            work(second.id)
            assert not given  # the first is still being worked on

    work.busy, work._write = False, another
    work(first.id)
    assert given == [[]]
    work(first.id)  # a message that comes twice
    assert given == [[], []]
