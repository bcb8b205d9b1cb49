"""A job ends for good: everything of it is removed but its row, without anything personal."""

from __future__ import annotations

from serving.jobs.lookup import find
from serving.site import Site
from serving.store.clock import now
from serving.store.tables import Job, Status

ERASED = "erased"  # stage of a row whose files are gone for good


def delete(site: Site, secret: str) -> None:
    """Remove everything of a job at once, also while a worker has it; its id answers "gone" from now on.

    Raises: JobUnknown, JobGone, StorageError.
    """
    erase(site, find(site, secret).id, Status.DELETED)


def erase(site: Site, job_id: int, status: Status) -> None:
    """Leave nothing of a job but its row, without anything personal. A worker that has it will find it gone.

    What somebody is just writing is removed by `expiry.expire`, which looks once more later.

    Raises: StorageError; the job is then gone for people, and `expiry.expire` removes the files later.
    """
    with site.database.session() as session:
        job = session.get(Job, job_id)
        if job is None:
            return
        job.uploads, job.faces, job.notices, job.outbox, job.renderings = [], [], [], [], []
        job.status, job.secret, job.session, job.error, job.worker_id = status, None, None, None, None
        job.stage, job.finished_at = "", now()
    for mail in site.settings.mail_dir.glob(f"{job_id}-*.eml"):
        mail.unlink(missing_ok=True)
    site.storage.delete(job.folder)
