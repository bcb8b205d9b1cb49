"""Jobs whose run broke off: with their worker, or with the database while their worker lives. They wait again."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import ColumnElement, and_, or_, select, true, update
from sqlalchemy.orm import Session

from serving.jobs import reasons
from serving.jobs.heartbeats import silent
from serving.jobs.runs import WAITING_AGAIN, Run, release_notices
from serving.site import Site
from serving.store.clock import now
from serving.store.tables import UNFINISHED, Job, Notice, OutboxEntry, Rendering, Status, WorkerRow

MOST_CRASHES = 3  # workers that may die while a job runs alone, before it is given up
UNSURE_SECONDS = 60.0  # that a notice handed over by a worker that fell silent is left: it may be on its way


def put_back_lost(site: Site, worker_id: str, at_hand: Callable[[], Collection[int]]) -> list[int]:
    """Queue again what a worker runs according to the database, but has not at hand; the numbers of these jobs.

    Such runs were broken off when the database was away, and nobody could note it.
    """
    with site.database.reading() as session:
        running = select(Job.id, Job.attempts).where(Job.status == Status.RUNNING, Job.worker_id == worker_id)
        claimed = session.execute(running.order_by(Job.id)).all()
    known = set(at_hand())  # asked second: a job is at hand before it is claimed
    lost = [(job_id, attempt) for job_id, attempt in claimed if job_id not in known]
    return [job_id for job_id, attempt in lost if _queue_again(site, job_id, worker_id, attempt)]


def take_from_dead(site: Site, worker_id: str) -> list[WorkerRow]:
    """Take the workers out that have fallen silent, and queue their jobs again; who they were. `worker_id` is the one
    who looks, and who lives.

    Nobody knows which of the jobs that ran together killed their worker. So each of them runs alone from now on, and
    only a crash alone counts against it. What is held under an id that is not among the workers waits again without a
    mark: nobody saw that one die.
    """
    with site.database.session() as session:
        silent_ones = select(WorkerRow).where(silent(site), WorkerRow.id != worker_id).order_by(WorkerRow.id)
        dead = list(session.scalars(silent_ones.with_for_update(skip_locked=True)))
        for worker in dead:
            session.delete(worker)
        session.flush()
        names = [worker.id for worker in dead]
        at_work = select(WorkerRow.id)
        ownerless = and_(Job.worker_id.not_in(at_work), Job.worker_id != worker_id)
        held = select(Job).where(Job.status == Status.RUNNING, ownerless).order_by(Job.id)
        for job in session.scalars(held.with_for_update(skip_locked=True)).all():
            _take(session, job, died=job.worker_id in names)
        _free_rows(session, worker_id)
    return dead


def acquit(site: Site, run: Run) -> None:
    """Take a crash back that was counted while this run was only suspended: it has lived to come here."""
    if not run.alone:
        return
    with site.database.session() as session:
        counted = Job.id == run.job_id, Job.attempts >= run.attempt, Job.crashes > 0, Job.status.in_(UNFINISHED)
        session.execute(update(Job).where(*counted).values(crashes=Job.crashes - 1))


def not_on_its_way() -> ColumnElement[bool]:
    """Whether a notice was certainly not accepted by a server without our noting it."""
    return or_(Notice.handed_over_at.is_(None), Notice.handed_over_at < now() - UNSURE_SECONDS)


def _queue_again(site: Site, job_id: int, worker_id: str, attempt: int) -> bool:
    """Whether the attempt was still counted last."""
    mine = Job.id == job_id, Job.status == Status.RUNNING, Job.worker_id == worker_id, Job.attempts == attempt
    with site.database.session() as session:
        back = update(Job).where(*mine).values(**WAITING_AGAIN).returning(Job.id)
        if session.scalar(back) is None:
            return False
        session.add(OutboxEntry(job_id=job_id, due_at=now()))
        return True


def _take(session: Session, job: Job, died: bool) -> None:
    """Queue a job again, or give it up when it has killed too many workers."""
    if died:
        job.crashes += job.alone
        job.alone = True
    for name, value in WAITING_AGAIN.items():
        setattr(job, name, value)
    if job.crashes >= MOST_CRASHES:
        job.status, job.error, job.finished_at = Status.FAILED, reasons.GAVE_UP, now()
        release_notices(session, job.id)
    else:
        session.add(OutboxEntry(job_id=job.id, due_at=now()))


def _free_rows(session: Session, worker_id: str) -> None:
    """Free the notices and pictures of those who are not at work; but a notice that may be on its way stays a while."""
    at_work = select(WorkerRow.id)
    for table, condition in ((Notice, not_on_its_way()), (Rendering, true())):
        ownerless = and_(table.worker_id.not_in(at_work), table.worker_id != worker_id)
        session.execute(update(table).where(ownerless, condition).values(worker_id=None))
