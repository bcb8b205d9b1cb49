"""A job is worked on by one run at a time, ends once, and is not condemned for the crashes of its neighbours."""

import time

import pytest
from sqlalchemy import select

from serving.jobs import erasure, heartbeats, outbox, runs, submission
from serving.jobs.runs import PhotoOutcome
from serving.jobs.submission import Submission
from serving.store.tables import Job, Notice, OutboxEntry, Status, WorkerRow

DONE = [PhotoOutcome(folders=("somewhere",))]


@pytest.fixture
def job(site, clean_photo):
    return submission.submit(site, Submission([clean_photo], email="anna@example.com"))


def begin(site, job, worker, alone=False):
    run = runs.claim(site, job.id, worker, alone)
    assert run is not None
    return run


def read(site, job):
    with site.database.reading() as session:
        return session.get(Job, job.id)


def test_the_outbox_gives_each_message_once(site, job):
    sent = []
    assert outbox.relay(site, sent.append) == 1
    assert outbox.relay(site, sent.append) == 0
    assert sent == [job.id]
    assert read(site, job).status == Status.QUEUED


def test_a_broker_that_is_away_loses_no_message(site, job):
    def away(job_id):
        raise ConnectionError("no broker")

    with pytest.raises(ConnectionError):
        outbox.relay(site, away)
    assert read(site, job).status == Status.SUBMITTED
    assert outbox.relay(site, lambda job_id: None) == 1


def test_only_one_worker_gets_a_job(site, job):
    first, second = heartbeats.register(site), heartbeats.register(site)
    assert runs.claim(site, job.id, first, alone=False) is not None
    assert runs.claim(site, job.id, second, alone=False) is None


def test_who_is_not_among_the_workers_at_work_claims_nothing(site, job):
    unknown, worker = "nobody", heartbeats.register(site)
    assert runs.claim(site, job.id, unknown, alone=False) is None
    with site.database.session() as session:
        session.get_one(WorkerRow, worker).beat_at -= site.settings.worker_timeout + 1
    assert runs.claim(site, job.id, worker, alone=False) is None
    assert heartbeats.beat(site, worker)
    assert runs.claim(site, job.id, worker, alone=False) is not None


def test_a_run_that_goes_on_learns_whether_the_job_is_still_its(site, job):
    first = heartbeats.register(site)
    stale = begin(site, job, first)
    assert runs.advance(site, [stale], "network", 0.3) == {job.id}
    run = begin(site, job, first)  # its message came again
    assert runs.advance(site, [stale, run], "files", 0.6, batch_size=2) == {job.id}
    assert runs.advance(site, [stale], "files", 0.6) == set()


def test_a_finished_job_is_not_begun_again(site, job):
    worker = heartbeats.register(site)
    run = begin(site, job, worker)
    assert runs.finish(site, run, DONE) is Status.DONE
    assert runs.standing(site, job.id) is None
    assert runs.claim(site, job.id, worker, alone=False) is None


def test_a_job_that_was_deleted_meanwhile_cannot_be_finished(site, job):
    run = begin(site, job, heartbeats.register(site))
    erasure.delete(site, str(job.secret))
    assert runs.finish(site, run, DONE) is None
    assert read(site, job).status == Status.DELETED


def test_a_notice_is_due_when_the_job_ends(site, job):
    with site.database.reading() as session:
        assert session.scalar(select(Notice.due_at)) is None
    run = begin(site, job, heartbeats.register(site))
    runs.finish(site, run, [PhotoOutcome(error="anna.jpg: no face found.")])
    with site.database.reading() as session:
        assert 0 < (session.scalar(select(Notice.due_at)) or 0) <= time.time()
    assert read(site, job).error == "anna.jpg: no face found."


def test_a_job_that_is_put_back_waits_without_a_mark(site, job):
    run = begin(site, job, heartbeats.register(site))
    runs.put_back(site, run)
    waiting = read(site, job)
    assert (waiting.status, waiting.alone, waiting.crashes) == (Status.QUEUED, False, 0)


def test_an_operator_can_begin_a_failed_job_anew(site, job):
    run = begin(site, job, heartbeats.register(site))
    runs.finish(site, run, [PhotoOutcome(error="no")])
    assert submission.retry(site, job.id)
    with site.database.reading() as session:
        assert session.scalars(select(OutboxEntry.job_id)).all() == [job.id, job.id]
