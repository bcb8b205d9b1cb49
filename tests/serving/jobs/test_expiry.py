"""Nothing outlives its time: jobs, their files, and what broke off half-way."""

import time

import pytest
from sqlalchemy import select

from serving.errors import StorageError
from serving.jobs import erasure, expiry, submission
from serving.jobs.submission import Submission
from serving.settings import DAY
from serving.store.tables import Job, OutboxEntry, Status


def submit(site, photo):
    return submission.submit(site, Submission([photo], email="anna@example.com"))


def change(site, job, **values):
    with site.database.session() as session:
        row = session.get_one(Job, job.id)
        for name, value in values.items():
            setattr(row, name, value)


def status(site, job):
    with site.database.reading() as session:
        return session.scalar(select(Job.status).where(Job.id == job.id))


def test_a_job_whose_time_is_over_leaves_no_files_and_no_secret(site, clean_photo):
    over, still = submit(site, clean_photo), submit(site, clean_photo)
    change(site, over, expires_at=time.time() - 1)
    expiry.expire(site)
    assert (status(site, over), status(site, still)) == (Status.EXPIRED, Status.SUBMITTED)
    assert [site.storage.exists(job.folder) for job in (over, still)] == [False, True]
    with site.database.reading() as session:
        row = session.get_one(Job, over.id)
        assert (row.sealed, row.session, row.uploads, row.notices) == (None, None, [], [])


def test_a_submission_that_broke_off_goes_but_not_one_whose_message_waits(site, clean_photo):
    broken, waiting = submit(site, clean_photo), submit(site, clean_photo)
    for job in (broken, waiting):
        change(site, job, created_at=time.time() - DAY)
    with site.database.session() as session:
        session.delete(session.scalars(select(OutboxEntry).where(OutboxEntry.job_id == broken.id)).one())
    expiry.expire(site)
    assert (status(site, broken), status(site, waiting)) == (Status.EXPIRED, Status.SUBMITTED)


def test_what_was_written_while_a_job_was_deleted_goes_a_little_later(site, clean_photo):
    job = submit(site, clean_photo)
    erasure.delete(site, str(job.secret))
    site.storage.write(f"{job.folder}/run-1/face.glb", b"too late")
    expiry.sweep_up(site)
    assert not site.storage.exists(job.folder)
    site.storage.write(f"{job.folder}/run-1/face.glb", b"later still")
    change(site, job, finished_at=time.time() - 3 * site.settings.job_seconds)
    expiry.sweep_up(site)
    assert not site.storage.exists(job.folder)
    assert status(site, job) == Status.DELETED


def test_files_that_cannot_be_removed_hold_up_no_others(site, clean_photo, monkeypatch):
    first, second = submit(site, clean_photo), submit(site, clean_photo)
    for job in (first, second):
        erasure.delete(site, str(job.secret))
        site.storage.write(f"{job.folder}/run-1/face.glb", b"too late")
    delete = site.storage.delete

    def fail(name):
        if name == first.folder:
            raise StorageError("no")
        delete(name)

    monkeypatch.setattr(site.storage, "delete", fail)
    with pytest.raises(StorageError):
        expiry.sweep_up(site)
    assert not site.storage.exists(second.folder)


def test_an_id_is_remembered_for_a_year(site, clean_photo):
    job = submit(site, clean_photo)
    erasure.delete(site, str(job.secret))
    change(site, job, finished_at=0.0, expires_at=time.time() - 364 * DAY)
    expiry.sweep_up(site)
    expiry.expire(site)
    assert status(site, job) == Status.DELETED
    change(site, job, expires_at=time.time() - 366 * DAY)
    expiry.expire(site)
    assert status(site, job) is None
