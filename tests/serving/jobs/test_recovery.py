"""Runs that broke off go on: whatever dies, sleeps or forgets, each job waits again, and none is condemned for it."""

import pytest
from sqlalchemy import delete, select

from serving.jobs import heartbeats, outbox, reasons, recovery, runs, submission
from serving.jobs.recovery import MOST_CRASHES, UNSURE_SECONDS
from serving.jobs.runs import PhotoOutcome
from serving.jobs.submission import Submission
from serving.store.claims import claim_next
from serving.store.tables import Job, Notice, OutboxEntry, Status, WorkerRow

DONE = [PhotoOutcome(folders=("somewhere",))]


@pytest.fixture
def job(site, clean_photo):
    """A job that the broker has."""
    job = submission.submit(site, Submission([clean_photo], email="anna@example.com"))
    outbox.relay(site, lambda job_id: None)
    return job


@pytest.fixture
def me(site):
    """The worker that looks after the others."""
    return heartbeats.register(site)


def begin(site, job, worker):
    standing = runs.standing(site, job.id)
    assert standing is not None
    run = runs.claim(site, job.id, worker, standing.alone)
    assert run is not None
    return run


def read(site, job):
    with site.database.reading() as session:
        return session.get(Job, job.id)


def messages(site):
    with site.database.reading() as session:
        return session.scalars(select(OutboxEntry.job_id)).all()


def fall_silent(site, worker):
    with site.database.session() as session:
        session.get_one(WorkerRow, worker).beat_at -= site.settings.worker_timeout + 1


def wait_long(site, job):
    with site.database.session() as session:
        row = session.get_one(Job, job.id)
        row.created_at -= 60
        row.queued_at = None if row.queued_at is None else row.queued_at - 60


def test_a_run_that_its_worker_does_not_have_at_hand_is_queued_again(site, job, me):
    begin(site, job, me)
    assert recovery.put_back_lost(site, me, lambda: [job.id]) == []
    assert recovery.put_back_lost(site, heartbeats.register(site), list) == [], "nobody puts back what others run"
    assert recovery.put_back_lost(site, me, list) == [job.id]
    waiting = read(site, job)
    assert (waiting.status, waiting.worker_id, waiting.alone, waiting.crashes) == (Status.QUEUED, None, False, 0)
    assert messages(site) == [job.id]


def test_a_run_that_begins_while_its_worker_looks_is_left_alone(site, job, me):
    begin(site, job, me)

    def begun_meanwhile():
        begin(site, job, me)
        return []

    assert recovery.put_back_lost(site, me, begun_meanwhile) == []
    assert read(site, job).status == Status.RUNNING


def test_a_run_that_was_taken_over_cannot_finish(site, job, me):
    lost = heartbeats.register(site)
    stale = begin(site, job, lost)
    fall_silent(site, lost)
    assert [row.id for row in recovery.take_from_dead(site, me)] == [lost]
    run = begin(site, job, me)
    assert runs.finish(site, stale, DONE) is None
    assert runs.finish(site, run, DONE) is Status.DONE
    assert run.folder != stale.folder


def test_crashes_count_only_alone(site, job, me):
    for _ in range(1 + MOST_CRASHES):
        assert read(site, job).status == Status.QUEUED
        worker = heartbeats.register(site)
        begin(site, job, worker)
        fall_silent(site, worker)
        recovery.take_from_dead(site, me)
    given_up = read(site, job)
    assert (given_up.status, given_up.error, given_up.crashes) == (Status.FAILED, reasons.GAVE_UP, MOST_CRASHES)


def test_a_worker_whose_row_has_gone_is_not_taken_for_crashed(site, job, me):
    for _ in range(1 + MOST_CRASHES):
        worker = heartbeats.register(site)
        begin(site, job, worker)
        with site.database.session() as session:
            session.execute(delete(WorkerRow).where(WorkerRow.id == worker))
        recovery.take_from_dead(site, me)
        waiting = read(site, job)
        assert (waiting.status, waiting.alone, waiting.crashes) == (Status.QUEUED, False, 0)


def test_a_worker_does_not_take_from_itself(site, job, me):
    begin(site, job, me)
    with site.database.session() as session:
        session.execute(delete(WorkerRow))
    recovery.take_from_dead(site, me)
    assert read(site, job).status == Status.RUNNING


def test_a_suspended_run_that_comes_back_takes_its_crash_back(site, job, me):
    for suspended in (heartbeats.register(site), heartbeats.register(site)):
        run = begin(site, job, suspended)
        fall_silent(site, suspended)
        recovery.take_from_dead(site, me)
    assert read(site, job).crashes == 1
    assert runs.finish(site, run, DONE) is None
    recovery.acquit(site, run)
    assert read(site, job).crashes == 0


def test_what_the_broker_has_lost_is_sent_again_once(site, job):
    assert outbox.send_lost_again(site, lambda: pytest.fail("too early to ask")) == []
    wait_long(site, job)
    assert outbox.send_lost_again(site, lambda: {job.id}) == []
    assert outbox.send_lost_again(site, set) == [job.id]
    assert outbox.send_lost_again(site, set) == []
    assert outbox.relay(site, lambda job_id: None) == 1
    assert outbox.send_lost_again(site, set) == [], "the broker has just got it"


def test_what_was_sent_just_before_the_database_went_away_is_sent_again(site, clean_photo):
    job = submission.submit(site, Submission([clean_photo]))
    with site.database.session() as session:  # as relaying leaves it that cannot enter the job as queued any more
        session.execute(delete(OutboxEntry))
    wait_long(site, job)
    assert outbox.send_lost_again(site, set) == [job.id]
    assert outbox.relay(site, lambda job_id: None) == 1
    assert read(site, job).status == Status.QUEUED


def test_a_submission_that_is_still_being_written_is_not_sent(site, clean_photo, monkeypatch):
    def look_meanwhile(name, content):
        with site.database.session() as session:
            session.scalars(select(Job)).one().created_at -= 60
        assert outbox.send_lost_again(site, set) == []

    monkeypatch.setattr(site.storage, "write", look_meanwhile)
    submission.submit(site, Submission([clean_photo]))


def test_a_notice_that_may_be_on_its_way_stays_with_a_silent_worker_for_a_while(site, job, me):
    worker = heartbeats.register(site)
    runs.finish(site, begin(site, job, worker), DONE)
    notice = claim_next(site.database, Notice, worker)
    assert notice is not None

    def change(**values):
        with site.database.session() as session:
            row = session.get_one(Notice, notice.id)
            for name, value in values.items():
                setattr(row, name, value)
        recovery.take_from_dead(site, me)
        with site.database.reading() as session:
            return session.get_one(Notice, notice.id).worker_id

    fall_silent(site, worker)
    moment = read(site, job).finished_at
    assert change(handed_over_at=moment) == worker
    assert change(handed_over_at=moment - UNSURE_SECONDS - 1) is None
    assert change(worker_id=worker, handed_over_at=None) is None
