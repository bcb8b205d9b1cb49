"""The transactional outbox: what the broker is still to get stands in the database, beside the job it is about.

A crash between database and broker therefore loses nothing; it may send a message twice, and claiming a job sorts that
out (runs.py). What the broker itself has lost is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import ColumnElement, and_, delete, exists, insert, or_, select, update

from serving.site import Site
from serving.store.clock import now
from serving.store.tables import WAITING, Job, OutboxEntry, Status, Upload

MOST_AT_ONCE = 100
LOST_SECONDS = 5.0  # that a job waits before anybody asks whether the broker still has its message


def relay(site: Site, send: Callable[[int], None]) -> int:
    """Send the messages that are due, each the number of a job; how many there were."""
    if not _anything_due(site):
        return 0
    with site.database.session() as session:
        due = select(OutboxEntry).where(OutboxEntry.due_at <= now()).order_by(OutboxEntry.id)
        entries = session.scalars(due.limit(MOST_AT_ONCE).with_for_update(skip_locked=True)).all()
        for entry in entries:
            send(entry.job_id)
        session.execute(delete(OutboxEntry).where(OutboxEntry.id.in_([entry.id for entry in entries])))
    with site.database.session() as session:
        sent = Job.id.in_([entry.job_id for entry in entries])
        waiting = update(Job).where(sent, Job.status.in_(WAITING))
        session.execute(waiting.values(status=Status.QUEUED, queued_at=now()))
    return len(entries)


def send_lost_again(site: Site, jobs_with_message: Callable[[], Collection[int]]) -> list[int]:
    """Send a message for every job that has waited for a while and has none, and give their numbers.

    Its message may be lost with a broker that forgets, or with a worker that had fetched it.
    """
    with site.database.reading() as session:
        if session.scalar(select(Job.id).where(_waits_without_entry()).limit(1)) is None:
            return []
    known = set(jobs_with_message())
    with site.database.session() as session:
        waiting = session.scalars(select(Job.id).where(_waits_without_entry()))
        lost = [job_id for job_id in waiting if job_id not in known]
        if lost:
            entries = select(Job.id, now()).where(Job.id.in_(lost)).order_by(Job.id)
            session.execute(insert(OutboxEntry).from_select(["job_id", "due_at"], entries))
    return lost


def _waits_without_entry() -> ColumnElement[bool]:
    """Whether a job has been with the broker for a while: as far as its row tells, or, where the database went away
    before that was noted, because all of it is there but the entry.
    """
    long_ago = now() - LOST_SECONDS
    noted = and_(Job.status == Status.QUEUED, or_(Job.queued_at.is_(None), Job.queued_at < long_ago))
    whole = exists().where(Upload.job_id == Job.id)
    not_noted = and_(Job.status == Status.SUBMITTED, Job.created_at < long_ago, whole)
    return and_(or_(noted, not_noted), ~exists().where(OutboxEntry.job_id == Job.id))


def _anything_due(site: Site) -> bool:
    with site.database.reading() as session:
        return session.scalar(select(OutboxEntry.id).where(OutboxEntry.due_at <= now()).limit(1)) is not None
