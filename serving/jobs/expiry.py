"""Jobs end by themselves: their files and rows go when their time is over, and what broke off half-way goes too."""

from __future__ import annotations

from sqlalchemy import delete, exists, or_, select, update

from serving.errors import StorageError
from serving.jobs.erasure import ERASED, erase, erase_files
from serving.settings import DAY
from serving.site import Site
from serving.store.clock import now, read_clock
from serving.store.tables import GONE, Job, OutboxEntry, Status

UNFINISHED_SECONDS = 600  # after which a submission that broke off is removed
REMEMBERED_SECONDS = 365 * DAY  # for which an id answers "gone" rather than "unknown"


def expire(site: Site) -> None:
    """Remove what is over.

    Raises: StorageError; the next call goes on where this one stopped.
    """
    waiting_message = exists().where(OutboxEntry.job_id == Job.id)
    broken_off = (Job.status == Status.SUBMITTED) & (Job.created_at < now() - UNFINISHED_SECONDS) & ~waiting_message
    with site.database.reading() as session:
        over = select(Job.id).where(Job.status.not_in(GONE), or_(Job.expires_at < now(), broken_off))
        numbers = session.scalars(over).all()
    for job_id in numbers:
        erase(site, job_id, Status.EXPIRED)
    long_gone = Job.status.in_(GONE), Job.stage == ERASED, Job.expires_at < now() - REMEMBERED_SECONDS
    with site.database.session() as session:
        session.execute(delete(Job).where(*long_gone))


def sweep_up(site: Site) -> None:
    """Remove what was still being written when a job was deleted: again and again, until nobody can write any more.

    Raises: StorageError, in the end; the next call tries again what failed.
    """
    with site.database.reading() as session:
        gone = select(Job.id, Job.finished_at).where(Job.status.in_(GONE), Job.stage != ERASED)
        half_gone = session.execute(gone).all()
        all_over = read_clock(session) - 2 * site.settings.job_seconds
    failed = None
    for job_id, finished_at in half_gone:
        try:
            erase_files(site, job_id)
        except StorageError as error:
            failed = error  # which holds up none of the others
            continue
        if (finished_at or 0.0) < all_over:
            with site.database.session() as session:
                session.execute(update(Job).where(Job.id == job_id).values(stage=ERASED))
    if half_gone:
        site.database.forget_deleted()
    if failed is not None:
        raise failed
