"""A job is worked on by one run at a time, ends once, and is not condemned for the crashes of its neighbours."""

import time

import pytest
from sqlalchemy import delete, select

from serving.jobs import erasure, heartbeats, outbox, reasons, runs, submission
from serving.jobs.runs import MOST_CRASHES, PhotoOutcome
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


def die(site, worker_id):
    with site.database.session() as session:
        session.execute(delete(WorkerRow).where(WorkerRow.id == worker_id))


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


def test_what_waits_is_sent_again_once(site, job):
    outbox.relay(site, lambda job_id: None)
    outbox.send_again(site)
    outbox.send_again(site)
    assert outbox.relay(site, lambda job_id: None) == 1


def test_what_was_sent_just_before_the_database_went_away_is_sent_again(site, job):
    with site.database.session() as session:  # as relaying leaves it that cannot enter the job as queued any more
        session.execute(delete(OutboxEntry))
    outbox.send_again(site)
    assert outbox.relay(site, lambda job_id: None) == 1
    assert read(site, job).status == Status.QUEUED


def test_a_run_that_was_broken_off_is_sent_again_too(site, job):
    outbox.relay(site, lambda job_id: None)
    worker = heartbeats.register(site)
    assert begin(site, job, worker) is not None
    outbox.send_again(site)
    assert outbox.relay(site, lambda job_id: None) == 1
    assert read(site, job).status == Status.RUNNING
    assert runs.claim(site, job.id, worker, alone=False) is not None


def test_only_one_worker_gets_a_job(site, job):
    first, second = heartbeats.register(site), heartbeats.register(site)
    assert runs.claim(site, job.id, first, alone=False) is not None
    assert runs.claim(site, job.id, second, alone=False) is None


def test_a_finished_job_is_not_begun_again(site, job):
    worker = heartbeats.register(site)
    run = begin(site, job, worker)
    assert runs.finish(site, run, DONE) is Status.DONE
    assert runs.runs_alone(site, job.id) is None
    assert runs.claim(site, job.id, worker, alone=False) is None


def test_a_run_that_was_taken_over_cannot_finish(site, job):
    lost, other = heartbeats.register(site), heartbeats.register(site)
    stale = begin(site, job, lost)
    die(site, lost)
    runs.take_from_dead(site)
    run = begin(site, job, other, alone=True)
    assert runs.finish(site, stale, DONE) is None
    assert runs.finish(site, run, DONE) is Status.DONE
    assert run.folder != stale.folder


def test_a_job_that_was_deleted_meanwhile_cannot_be_finished(site, job):
    run = begin(site, job, heartbeats.register(site))
    erasure.delete(site, str(job.secret))
    assert runs.finish(site, run, DONE) is None
    assert read(site, job).status == Status.DELETED


def test_crashes_count_only_alone(site, job):
    for _ in range(1 + MOST_CRASHES):
        assert read(site, job).status in (Status.SUBMITTED, Status.QUEUED)
        worker = heartbeats.register(site)
        assert runs.claim(site, job.id, worker, alone=bool(runs.runs_alone(site, job.id))) is not None
        die(site, worker)
        runs.take_from_dead(site)
    given_up = read(site, job)
    assert (given_up.status, given_up.error, given_up.crashes) == (Status.FAILED, reasons.GAVE_UP, MOST_CRASHES)


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
