"""Every job ends once, whatever dies meanwhile: workers, Redis, the mail server. All servers are real."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from serving.jobs import heartbeats, lookup, runs, submission
from serving.jobs.heartbeats import living
from serving.jobs.submission import Submission
from serving.loadtest.servers import PATIENCE_SECONDS, Mailbox, PostgresServer, wait_until
from serving.metrics import WorkerMetrics
from serving.site import Site
from serving.store.tables import UNFINISHED, Job, Notice, Status
from serving.worker import chores
from serving.worker.chores import Vigil
from serving.worker.reconstruct import ReconstructJob, TransientError
from tests.serving.conftest import WorkerProcess

JOBS = 24


@pytest.fixture(params=["embedded", "production"])
def any_site(request):
    """A site of each mode."""
    return request.getfixturevalue("quick_embedded" if request.param == "embedded" else "production")


@pytest.fixture
def quick_embedded(settings):
    site = Site.open(replace(settings, worker_timeout=3.0))
    yield site
    site.close()


def submit(site, photo, count, name="anna.jpg", email=None):
    return [submission.submit(site, Submission([replace(photo, name=name)], email=email)) for _ in range(count)]


def number_of(site, *statuses) -> int:
    with site.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Job).where(Job.status.in_(statuses))) or 0


def unsent(site):
    with site.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Notice).where(Notice.sent_at.is_(None)))


def run_until_crash_or_end(site):
    worker = WorkerProcess(site.settings)
    wait_until(lambda: worker.process.poll() is not None or not number_of(site, *UNFINISHED), "a crash or the end")
    worker.stop()


def test_jobs_survive_the_death_of_their_worker(any_site, clean_photo):
    taken = submit(any_site, clean_photo, JOBS)
    for left in (16, 8):
        worker = WorkerProcess(any_site.settings)
        wait_until(lambda left=left: number_of(any_site, *UNFINISHED) <= left, f"{left} jobs are left")
        worker.kill()
    worker = WorkerProcess(any_site.settings)
    wait_until(lambda: number_of(any_site, *UNFINISHED) == 0, "all jobs are over")
    assert worker.stop() == 0
    assert number_of(any_site, Status.DONE) == JOBS
    assert all(len(lookup.find(any_site, str(job.secret)).faces) == 1 for job in taken)
    assert all(any_site.storage.exists(lookup.face_folder(lookup.find(any_site, str(job.secret)), 0)) for job in taken)


def test_a_photo_that_kills_workers_is_given_up_and_its_neighbours_are_not(any_site, clean_photo):
    good = submit(any_site, clean_photo, 5)
    [bad] = submit(any_site, clean_photo, 1, name="kill.jpg")
    good += submit(any_site, clean_photo, 5)
    while number_of(any_site, *UNFINISHED):
        run_until_crash_or_end(any_site)  # whoever runs workers starts them again
    assert lookup.find(any_site, str(bad.secret)).status == Status.FAILED
    assert {lookup.find(any_site, str(job.secret)).status for job in good} == {Status.DONE}


def test_jobs_survive_a_redis_that_forgets_everything(production, redis_server, clean_photo):
    worker = WorkerProcess(production.settings)
    submit(production, clean_photo, JOBS)
    wait_until(lambda: number_of(production, Status.DONE) > 5, "the work has begun")
    redis_server.stop()
    redis_server.start()
    submit(production, clean_photo, 5)
    wait_until(lambda: number_of(production, *UNFINISHED) == 0, "all jobs are over")
    assert worker.stop() == 0
    assert number_of(production, Status.DONE) == JOBS + 5


def test_jobs_survive_a_redis_that_is_emptied_while_it_runs(production, redis_server, clean_photo):
    worker = WorkerProcess(production.settings)
    submit(production, clean_photo, 2 * JOBS)
    wait_until(lambda: number_of(production, Status.DONE) > 5, "the work has begun")
    redis_server.forget()
    wait_until(lambda: number_of(production, *UNFINISHED) == 0, "all jobs are over")
    assert worker.stop() == 0
    assert number_of(production, Status.DONE) == 2 * JOBS


@pytest.mark.parametrize("away_seconds", [1, 5])
def test_two_workers_strand_no_job_while_the_database_is_away(redis_server, settings, clean_photo, away_seconds):
    postgres = PostgresServer()
    postgres.start()
    url = postgres.new_database()
    site = Site.open(replace(settings, database_url=url, broker_url=redis_server.url, worker_timeout=3.0))
    submit(site, clean_photo, 3 * JOBS)
    workers = [WorkerProcess(site.settings), WorkerProcess(site.settings)]
    try:
        wait_until(lambda: number_of(site, Status.DONE) >= 5 and len(living(site)) == 2, "the work has begun")
        postgres.stop()
        time.sleep(away_seconds)
        postgres.start()
        wait_until(lambda: number_of(site, *UNFINISHED) == 0, "all jobs are over")
        assert [worker.stop() for worker in workers] == [0, 0]
        assert number_of(site, Status.DONE) == 3 * JOBS
        with site.database.reading() as session:
            assert session.scalar(select(func.max(Job.crashes))) == 0
            assert session.scalars(select(Job.id).where(Job.alone)).all() == []
    finally:
        for worker in workers:
            worker.kill()
        site.close()
        postgres.close()


def test_a_message_for_a_job_that_another_living_worker_runs_is_kept(site, clean_photo):
    [job] = submit(site, clean_photo, 1)
    first, second = heartbeats.register(site), heartbeats.register(site)
    assert runs.claim(site, job.id, first, alone=False) is not None
    work = ReconstructJob(site, Nobody(), second, WorkerMetrics())
    with pytest.raises(TransientError):
        work(job.id)


def test_a_worker_that_is_not_registered_keeps_its_messages(site, clean_photo):
    [job] = submit(site, clean_photo, 1)
    work = ReconstructJob(site, Nobody(), "nowhere", WorkerMetrics())
    with pytest.raises(TransientError):
        work(job.id)
    assert lookup.find(site, str(job.secret)).status == Status.SUBMITTED


def test_whoever_could_not_look_for_a_while_judges_nobody(monkeypatch):
    moments = iter([100.0, 102.0, 104.0, 111.0, 113.0, 115.0])
    monkeypatch.setattr(chores, "time", SimpleNamespace(monotonic=lambda: next(moments)))  # other threads have theirs
    vigil = Vigil(longest_gap=5.0)
    assert [vigil.look() for _ in range(6)] == [0.0, 2.0, 4.0, 0.0, 2.0, 4.0]


class Nobody:
    """Finds nothing, since nobody asks it."""

    def with_quality(self, quality):
        return self

    def one_by_one(self, photos, faces="largest", most=None):
        raise AssertionError

    def same_person(self, photos):
        raise AssertionError


def test_a_worker_that_is_stopped_returns_what_it_has_not_begun(production, clean_photo):
    settings = replace(
        production.settings, worker_timeout=PATIENCE_SECONDS
    )  # however busy the machine, nobody seems dead
    submit(production, clean_photo, 3 * JOBS)  # more than it holds
    first = WorkerProcess(settings)
    wait_until(lambda: number_of(production, Status.DONE) > 5, "the work has begun")
    assert first.stop() == 0
    assert number_of(production, Status.RUNNING) == 0
    second = WorkerProcess(settings)
    wait_until(lambda: len(living(production)) == 1, "the second worker is at work")
    wait_until(lambda: number_of(production, *UNFINISHED) == 0, "all jobs are over")
    assert second.stop() == 0
    with production.database.reading() as session:
        assert session.scalar(select(func.max(Job.crashes))) == 0
        assert session.scalar(select(func.max(Job.attempts))) == 1


def test_no_mail_is_lost_or_doubled_while_the_mail_server_is_away(production, clean_photo):
    mailbox = Mailbox()
    settings = replace(production.settings, smtp_url=mailbox.url)
    worker = WorkerProcess(settings)
    submit(production, clean_photo, 6, name="noface.jpg", email="anna@example.com")
    wait_until(lambda: number_of(production, *UNFINISHED) == 0, "all jobs are over")
    mailbox.start()
    wait_until(lambda: unsent(production) == 0, "all mails are out")
    worker.stop()
    mailbox.stop()
    assert len(mailbox.received) == 6
    assert set(Counter(message_id for message_id, _ in mailbox.received).values()) == {1}
