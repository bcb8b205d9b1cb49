"""Jobs end by themselves: their files and rows go when their time is over, and what broke off half-way goes too."""

from __future__ import annotations

from sqlalchemy import delete, exists, or_, select, update

from serving.jobs.erasure import ERASED, erase
from serving.settings import DAY
from serving.site import Site
from serving.store.clock import read_clock
from serving.store.tables import GONE, Job, OutboxEntry, Status

UNFINISHED_SECONDS = 600  # after which a submission that broke off is removed
REMEMBERED_SECONDS = 365 * DAY  # for which an id answers "gone" rather than "unknown"


def expire(site: Site) -> None:
    """Remove what is over.

    Raises: StorageError; the next call goes on where this one stopped.
    """
    waiting_message = exists().where(OutboxEntry.job_id == Job.id)
    with site.database.reading() as session:
        moment = read_clock(session)
        all_over = moment - 2 * site.settings.job_seconds  # nobody writes files of it any more
        late = Job.created_at < moment - UNFINISHED_SECONDS
        broken_off = (Job.status == Status.SUBMITTED) & late & ~waiting_message
        over = session.scalars(
            select(Job.id).where(Job.status.not_in(GONE), or_(Job.expires_at < moment, broken_off))
        ).all()
        half_gone = session.execute(
            select(Job.id, Job.status).where(Job.status.in_(GONE), Job.stage != ERASED, Job.finished_at < all_over)
        ).all()
    for job_id in over:
        erase(site, job_id, Status.EXPIRED)
    for job_id, status in half_gone:
        erase(site, job_id, Status(status))
        with site.database.session() as session:
            session.execute(update(Job).where(Job.id == job_id).values(stage=ERASED))
    with site.database.session() as session:
        session.execute(
            delete(Job).where(Job.status.in_(GONE), Job.stage == ERASED, Job.expires_at < moment - REMEMBERED_SECONDS)
        )
