"""Jobs as workers see them: claim, finish, put back, and what happens to those whose worker died.

Messages come at least once, perhaps twice, perhaps late. Whether there is work is decided here, by one UPDATE: it
counts the run, and only the run that was counted last may finish the job.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from serving.jobs import reasons
from serving.site import Site
from serving.store.tables import WAITING, Face, Job, Notice, OutboxEntry, Rendering, Status, Upload, WorkerRow

MOST_CRASHES = 3  # workers that may die while a job runs alone, before it is given up


@dataclass(frozen=True)
class Run:
    """One attempt at a job."""

    job_id: int
    worker_id: str
    attempt: int
    faces_wanted: str
    same_person: bool  # all photos together give one face
    uploads: tuple[Upload, ...]

    @property
    def folder(self) -> str:
        """Where its files go: no other run writes there."""
        return f"jobs/{self.job_id}/run-{self.attempt}"


@dataclass(frozen=True)
class PhotoOutcome:
    """What a run made of one photo."""

    folders: tuple[str, ...] = ()  # of its faces, in the storage
    error: str | None = None  # a text of `reasons`


def runs_alone(site: Site, job_id: int) -> bool | None:
    """Whether a job has to run without neighbours; None if there is nothing to do for it."""
    with site.database.reading() as session:
        row = session.execute(select(Job.status, Job.alone).where(Job.id == job_id)).first()
    return None if row is None or row.status not in (*WAITING, Status.RUNNING) else row.alone


def claim(site: Site, job_id: int, worker_id: str, alone: bool) -> Run | None:
    """Begin a run; None if the job is not waiting. A worker may begin again what it holds itself, after an error."""
    waiting = Job.status.in_(WAITING)
    held_here = (Job.status == Status.RUNNING) & (Job.worker_id == worker_id)
    begin = (
        update(Job)
        .where(Job.id == job_id, Job.alone == alone, or_(waiting, held_here))
        .values(
            status=Status.RUNNING,
            worker_id=worker_id,
            attempts=Job.attempts + 1,
            started_at=time.time(),
            stage="detect",
            progress=0.1,
        )
        .returning(Job.attempts, Job.faces_wanted, Job.same_person)
    )
    with site.database.session() as session:
        row = session.execute(begin).first()
        if row is None:
            return None
        uploads = session.scalars(select(Upload).where(Upload.job_id == job_id).order_by(Upload.number)).all()
    return Run(job_id, worker_id, row.attempts, row.faces_wanted, row.same_person, tuple(uploads))


def advance(site: Site, runs: Sequence[Run], stage: str, progress: float, batch_size: int | None = None) -> None:
    """Tell how far some runs are."""
    values = {"stage": stage, "progress": progress} | ({} if batch_size is None else {"batch_size": batch_size})
    with site.database.session() as session:
        numbers = sorted(run.job_id for run in runs)  # in one order, so that two workers never wait for each other
        session.execute(update(Job).where(Job.id.in_(numbers), Job.status == Status.RUNNING).values(values))


def finish(site: Site, run: Run, outcomes: Sequence[PhotoOutcome]) -> Status | None:
    """End a run with what became of each photo, and let the notices go; None if the job is no longer this run's."""
    status = Status.DONE if any(outcome.folders for outcome in outcomes) else Status.FAILED
    errors = [outcome.error for outcome in outcomes if outcome.error]
    with site.database.session() as session:
        if not _end(session, run, status, errors[0] if status is Status.FAILED else None):
            return None
        for upload, outcome in zip(run.uploads, outcomes, strict=True):
            session.execute(update(Upload).where(Upload.id == upload.id).values(error=outcome.error))
            for number, folder in enumerate(outcome.folders):
                session.add(Face(job_id=run.job_id, photo=upload.number, number=number, folder=folder))
        _release_notices(session, run.job_id)
    return status


def put_back(site: Site, run: Run) -> None:
    """Let a job wait again after an error that can pass; its message comes again by itself."""
    with site.database.session() as session:
        back = update(Job).where(*_held_by(run))
        session.execute(back.values(status=Status.QUEUED, worker_id=None, stage="", progress=0.0))


def take_from_dead(site: Site) -> int:
    """Queue the jobs again whose worker is gone, and free the notices and pictures it was at; how many jobs there were.

    Nobody knows which of the jobs that ran together killed their worker. So each of them runs alone from now on, and
    only a crash alone counts against it.
    """
    at_work = select(WorkerRow.id)
    with site.database.session() as session:
        orphans = select(Job).where(Job.status == Status.RUNNING, Job.worker_id.not_in(at_work)).order_by(Job.id)
        jobs = session.scalars(orphans.with_for_update(skip_locked=True)).all()
        for job in jobs:
            job.crashes += job.alone
            job.alone, job.worker_id, job.stage, job.progress = True, None, "", 0.0
            if job.crashes >= MOST_CRASHES:
                job.status, job.error, job.finished_at = Status.FAILED, reasons.GAVE_UP, time.time()
                _release_notices(session, job.id)
            else:
                job.status = Status.QUEUED
                session.add(OutboxEntry(job_id=job.id, due_at=time.time()))
        for table in (Notice, Rendering):
            held = update(table).where(table.worker_id.is_not(None), table.worker_id.not_in(at_work))
            session.execute(held.values(worker_id=None))
        return len(jobs)


def _held_by(run: Run):
    mine = (Job.worker_id == run.worker_id, Job.attempts == run.attempt, Job.status == Status.RUNNING)
    return Job.id == run.job_id, *mine


def _end(session: Session, run: Run, status: Status, error: str | None) -> bool:
    end = update(Job).where(*_held_by(run))
    end = end.values(status=status, error=error, finished_at=time.time(), worker_id=None, stage="", progress=1.0)
    return session.scalar(end.returning(Job.id)) is not None


def _release_notices(session: Session, job_id: int) -> None:
    ready = update(Notice).where(Notice.job_id == job_id, Notice.sent_at.is_(None))
    session.execute(ready.values(due_at=time.time()))
