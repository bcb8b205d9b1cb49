"""What a worker makes of a job: errors that can pass put it back, those of a photo end it."""

from dataclasses import replace
from functools import cached_property
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
from serving.worker.reconstruct import ReconstructJob, TransientError


class Finder:
    """Finds as many faces as the name of the photo says."""

    def __init__(self):
        self.batches = []

    def reconstruct(self, photos, faces="largest"):
        self.batches.append([photo.name for photo in photos])
        if any(photo.name == "bug" for photo in photos):
            raise ZeroDivisionError
        return [[photo] * min(int(photo.name), 1 if faces == "largest" else 9) for photo in photos]

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
    assert finder.batches[0] == ["1", "0", "bug", "2"]
    assert site.storage.read(f"{lookup.face_folder(job, 2)}/face.json") == b"2"


def test_only_the_largest_face_is_kept_unless_all_are_wanted(site, clean_photo, work):
    job = submit(site, clean_photo, "3")
    work(job.id)
    assert len(lookup.find(site, str(job.secret)).faces) == 1


def test_a_job_without_a_face_has_failed_and_says_why(site, clean_photo, work):
    job = submit(site, clean_photo, "0")
    work(job.id)
    job = lookup.find(site, str(job.secret))
    assert job.status == Status.FAILED
    assert reasons.of_job(job) == "0: no face found; please use a photo in which a face is larger."


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
        with pytest.raises(TransientError):
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
    monkeypatch.setattr("serving.worker.reconstruct.give_back_memory", lambda: given.append(work.longest_held()))
    first, second = submit(site, clean_photo, "1"), submit(site, clean_photo, "1")

    def another(face, folder):
        write(face, folder)
        if not work.busy:
            work.busy = True
            work(second.id)
            assert not given  # the first is still being worked on

    work.busy, work._write = False, another
    work(first.id)
    assert len(given) == 1
    work(first.id)  # a message that comes twice
    assert len(given) == 2
