"""Jobs as workers see them: claim, finish, put back. What happens to those whose worker died is in recovery.py.

Messages come at least once, perhaps twice, perhaps late. Whether there is work is decided here, by one UPDATE: it
counts the run, and only the run that was counted last may finish the job. A worker may claim only while it stands in
the table of those at work: whoever is not there counts as dead, and what it holds would be given to others.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, exists, or_, select, tuple_, update
from sqlalchemy.orm import Session

from serving.jobs.heartbeats import silent
from serving.site import Site
from serving.store.clock import now
from serving.store.tables import (
    UNFINISHED,
    WAITING,
    Face,
    Job,
    Notice,
    OutboxEntry,
    Status,
    Upload,
    WorkerRow,
    job_folder,
)

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 15.0  # seconds until a job that was put back is tried again

WAITING_AGAIN = {"status": Status.QUEUED, "worker_id": None, "stage": "", "progress": 0.0, "queued_at": now()}
"""The columns of a job that waits for its next run."""


@dataclass(frozen=True)
class Run:
    """One attempt at a job."""

    job_id: int
    worker_id: str
    attempt: int
    alone: bool
    faces_wanted: str
    same_person: bool  # all photos together give one face
    quality: str  # fast, normal or best
    uploads: tuple[Upload, ...]

    @property
    def folder(self) -> str:
        """Where its files go: no other run writes there."""
        return run_folder(self.job_id, self.attempt)


@dataclass(frozen=True)
class PhotoOutcome:
    """What a run made of one photo."""

    folders: tuple[str, ...] = ()  # of its faces, in the storage
    error: str | None = None  # a text of `reasons`


@dataclass(frozen=True)
class Standing:
    """How it stands with a job that is not over."""

    alone: bool  # whether it has to run without neighbours
    faces_wanted: str
    holder: str | None  # the worker that runs it


def run_folder(job_id: int, attempt: int) -> str:
    """Where the files of an attempt at a job go."""
    return f"{job_folder(job_id)}/run-{attempt}"


def standing(site: Site, job_id: int) -> Standing | None:
    """How it stands with a job; None if there is nothing to do for it."""
    with site.database.reading() as session:
        asked = select(Job.status, Job.alone, Job.faces_wanted, Job.worker_id)
        row = session.execute(asked.where(Job.id == job_id)).first()
    if row is None or row.status not in UNFINISHED:
        return None
    return Standing(row.alone, row.faces_wanted, row.worker_id)


def claim(site: Site, job_id: int, worker_id: str, alone: bool) -> Run | None:
    """Begin a run; None if the job is not waiting, or the worker is not known to be at work.

    A worker may begin again what it holds itself, after an error.
    """
    waiting = Job.status.in_(WAITING)
    held_here = and_(Job.status == Status.RUNNING, Job.worker_id == worker_id)
    at_work = exists().where(WorkerRow.id == worker_id, ~silent(site))
    begin = (
        update(Job)
        .where(Job.id == job_id, Job.alone == alone, or_(waiting, held_here), at_work)
        .values(
            status=Status.RUNNING,
            worker_id=worker_id,
            attempts=Job.attempts + 1,
            started_at=now(),
            stage="detect",
            progress=0.1,
        )
        .returning(Job.attempts, Job.faces_wanted, Job.same_person, Job.quality)
    )
    with site.database.session() as session:
        row = session.execute(begin).first()
        if row is None:
            return None
        uploads = session.scalars(select(Upload).where(Upload.job_id == job_id).order_by(Upload.number)).all()
    wanted = (row.faces_wanted, row.same_person, row.quality)
    return Run(job_id, worker_id, row.attempts, alone, *wanted, tuple(uploads))


def advance(
    site: Site, runs: Sequence[Run], stage: str, progress: float, batch_size: int | None = None
) -> Collection[int]:
    """Tell how far some runs are; the numbers of those jobs that are still theirs."""
    values = {"stage": stage, "progress": progress} | ({} if batch_size is None else {"batch_size": batch_size})
    attempts = sorted((run.job_id, run.attempt) for run in runs)  # in one order: two workers never wait for each other
    theirs = Job.status == Status.RUNNING, tuple_(Job.id, Job.attempts).in_(attempts)
    with site.database.session() as session:
        return set(session.scalars(update(Job).where(*theirs).values(values).returning(Job.id)))


def holds(site: Site, run: Run) -> bool:
    """Whether the job is still this run's: it has not been deleted, and nobody else has it."""
    with site.database.reading() as session:
        return session.scalar(select(Job.id).where(*_held_by(run))) is not None


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
        release_notices(session, run.job_id)
    return status


def put_back(site: Site, run: Run) -> None:
    """Let a job wait again after an error that can pass; a message for it is sent after a pause, by the one clock."""
    pause = min(SHORTEST_PAUSE * 2 ** (run.attempt - 1), LONGEST_PAUSE)
    with site.database.session() as session:
        back = update(Job).where(*_held_by(run)).values(**WAITING_AGAIN).returning(Job.id)
        if session.scalar(back) is not None:
            session.add(OutboxEntry(job_id=run.job_id, due_at=now() + pause))


def release_notices(session: Session, job_id: int) -> None:
    """Let the notices about the end of a job go."""
    ready = update(Notice).where(Notice.job_id == job_id, Notice.sent_at.is_(None))
    session.execute(ready.values(due_at=now()))


def _held_by(run: Run):
    mine = (Job.worker_id == run.worker_id, Job.attempts == run.attempt, Job.status == Status.RUNNING)
    return Job.id == run.job_id, *mine


def _end(session: Session, run: Run, status: Status, error: str | None) -> bool:
    end = update(Job).where(*_held_by(run))
    end = end.values(status=status, error=error, finished_at=now(), worker_id=None, stage="", progress=1.0)
    return session.scalar(end.returning(Job.id)) is not None
