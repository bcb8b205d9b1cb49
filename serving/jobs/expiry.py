"""Jobs end by themselves: their files and rows go when their time is over, and what broke off half-way goes too."""

from __future__ import annotations

import time

from sqlalchemy import delete, exists, or_, select, update

from serving.jobs.erasure import ERASED, erase
from serving.settings import DAY
from serving.site import Site
from serving.store.tables import GONE, Job, OutboxEntry, Status

UNFINISHED_SECONDS = 600  # after which a submission that broke off is removed
REMEMBERED_SECONDS = 365 * DAY  # for which an id answers "gone" rather than "unknown"


def expire(site: Site) -> None:
    """Remove what is over.

    Raises: StorageError; the next call goes on where this one stopped.
    """
    now = time.time()
    all_over = now - 2 * site.settings.job_seconds  # nobody writes files of it any more
    waiting_message = exists().where(OutboxEntry.job_id == Job.id)
    broken_off = (Job.status == Status.SUBMITTED) & (Job.created_at < now - UNFINISHED_SECONDS) & ~waiting_message
    with site.database.reading() as session:
        over = session.scalars(
            select(Job.id).where(Job.status.not_in(GONE), or_(Job.expires_at < now, broken_off))
        ).all()
        half_gone = session.execute(
            select(Job.id, Job.status).where(Job.status.in_(GONE), Job.stage != ERASED, Job.finished_at < all_over)
        ).all()  # fmt: skip
    for job_id in over:
        erase(site, job_id, Status.EXPIRED)
    for job_id, status in half_gone:
        erase(site, job_id, Status(status))
        with site.database.session() as session:
            session.execute(update(Job).where(Job.id == job_id).values(stage=ERASED))
    with site.database.session() as session:
        session.execute(
            delete(Job).where(Job.status.in_(GONE), Job.stage == ERASED, Job.expires_at < now - REMEMBERED_SECONDS)
        )
