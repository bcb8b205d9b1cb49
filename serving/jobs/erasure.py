"""A job ends for good: everything of it is removed but its row, without anything personal."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from serving.jobs.lookup import find
from serving.site import Site
from serving.store.clock import now
from serving.store.storage import is_full
from serving.store.tables import Job, Status, job_folder

ERASED = "erased"  # stage of a row whose files are gone for good


def delete(site: Site, secret: str) -> None:
    """Remove everything of a job at once, also while a worker has it; its id answers "gone" from now on.

    Raises: JobUnknown, JobGone, StorageError.
    """
    erase(site, find(site, secret).id, Status.DELETED)


def erase(site: Site, job_id: int, status: Status) -> None:
    """Leave nothing of a job but its row, without anything personal. A worker that has it will find it gone.

    This needs no room: on a full disk the files go first, and the database writes into what is reserved for that.
    What somebody is just writing is removed by `expiry.sweep_up`, which looks again for a while.

    Raises: StorageError; the job is then gone for people, and `expiry.sweep_up` removes the files later.
    """
    try:
        _empty_row(site, job_id, status)
    except DBAPIError as error:
        if not is_full(error):
            raise
        erase_files(site, job_id)
        with site.database.with_reserve():
            _empty_row(site, job_id, status)
    erase_files(site, job_id)
    site.database.forget_deleted()


def erase_files(site: Site, job_id: int) -> None:
    """Remove the files and mails of a job.

    Raises: StorageError.
    """
    for mail in site.settings.mail_dir.glob(f"{job_id}-*.eml"):
        mail.unlink(missing_ok=True)
    site.storage.delete(job_folder(job_id))


def _empty_row(site: Site, job_id: int, status: Status) -> None:
    with site.database.session() as session:
        job = session.get(Job, job_id)
        if job is None:
            return
        job.uploads, job.faces, job.notices, job.outbox, job.renderings = [], [], [], [], []
        job.status, job.session, job.sealed, job.error, job.worker_id = status, None, None, None, None
        job.stage, job.finished_at = "", now()
