"""The transactional outbox: what the broker is still to get stands in the database, beside the job it is about.

A crash between database and broker therefore loses nothing; it may send a message twice, and claiming a job sorts that
out (runs.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import delete, exists, insert, literal, select, update

from serving.site import Site
from serving.store.tables import Job, OutboxEntry, Status

MOST_AT_ONCE = 100


def relay(site: Site, send: Callable[[int], None]) -> int:
    """Send the messages that are due, each the number of a job; how many there were."""
    if not _anything_due(site):
        return 0
    with site.database.session() as session:
        due = select(OutboxEntry).where(OutboxEntry.due_at <= time.time()).order_by(OutboxEntry.id)
        entries = session.scalars(due.limit(MOST_AT_ONCE).with_for_update(skip_locked=True)).all()
        for entry in entries:
            send(entry.job_id)
        session.execute(delete(OutboxEntry).where(OutboxEntry.id.in_([entry.id for entry in entries])))
    with site.database.session() as session:
        sent = Job.id.in_([entry.job_id for entry in entries])
        session.execute(update(Job).where(sent, Job.status == Status.SUBMITTED).values(status=Status.QUEUED))
    return len(entries)


def send_again(site: Site) -> None:
    """Send a message for every job that is not over: its own may be lost with a broker or a worker.

    Also for those that run, since a run that the database broke off waits for its message to come again; and for those
    whose message was sent just before the database went away, so that they were never entered as queued.
    """
    already = exists().where(OutboxEntry.job_id == Job.id)
    sent = Job.status.in_((Status.SUBMITTED, Status.QUEUED, Status.RUNNING))
    lost = select(Job.id, literal(time.time())).where(sent, ~already).order_by(Job.id)
    with site.database.session() as session:
        session.execute(insert(OutboxEntry).from_select(["job_id", "due_at"], lost))


def _anything_due(site: Site) -> bool:
    with site.database.reading() as session:
        return session.scalar(select(OutboxEntry.id).where(OutboxEntry.due_at <= time.time()).limit(1)) is not None
