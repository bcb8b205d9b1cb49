"""What a site holds, compared: rows, files, messages, receipts and scratch folders; `deep3d check-store`.

It only looks. What is at hand is left out: whatever has changed within the last minute may be half done.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from serving.site import Site
from serving.store.clock import now
from serving.store.receipts import Receipts
from serving.store.scratch import Scratch
from serving.store.tables import GONE, UNFINISHED, WAITING, Face, Job, Notice, OutboxEntry, Status, Upload, WorkerRow

SETTLED_SECONDS = 60.0  # after which nothing is half done any more

_JOB_FILE = re.compile(r"jobs/(\d+)/(?:(run-\d+)|(photos/[^/]+)|pictures)(?:/|$)")


def mismatches(site: Site, messages: Collection[int] | None, settled_seconds: float = SETTLED_SECONDS) -> list[str]:
    """A line for each thing that does not match; `messages` are the jobs that the broker has a message of, if known.

    Raises: StorageError.
    """
    with site.database.reading() as session:
        rows = [*_jobs(session, messages, settled_seconds), *_notices(session, settled_seconds)]
        files = list(_files(site, session, settled_seconds))
        workers = set(session.scalars(select(WorkerRow.id)))
    scratch = [f"scratch/{owner}: its worker is gone" for owner in _scratch(site) if owner not in workers]
    return [*rows, *files, *scratch, *_receipts(site, settled_seconds)]


def _jobs(session: Session, messages: Collection[int] | None, settled_seconds: float) -> Iterator[str]:
    settled = now() - settled_seconds
    ownerless = Job.status == Status.RUNNING, Job.worker_id.not_in(select(WorkerRow.id)), Job.started_at < settled
    for job_id in session.scalars(select(Job.id).where(*ownerless)):
        yield f"job {job_id}: runs at a worker that is gone"
    over = Job.status.not_in(UNFINISHED)
    for job_id in session.scalars(select(Job.id).where(over, Job.worker_id.is_not(None))):
        yield f"job {job_id}: is over, and held by a worker"
    faceless = Job.status == Status.DONE, ~exists().where(Face.job_id == Job.id)
    for job_id in session.scalars(select(Job.id).where(*faceless)):
        yield f"job {job_id}: is done, and has no face"
    if messages is None:
        return
    no_entry = ~exists().where(OutboxEntry.job_id == Job.id)
    waits = Job.status.in_(WAITING), no_entry, or_(Job.queued_at < settled, Job.created_at < settled)
    for job_id in session.scalars(select(Job.id).where(*waits)):
        if job_id not in messages:
            yield f"job {job_id}: waits, and no message would bring it to a worker"
    unfinished = set(session.scalars(select(Job.id).where(Job.status.in_(UNFINISHED))))
    for job_id in sorted(set(messages) - unfinished):
        yield f"job {job_id}: is over, and the broker has a message of it"


def _notices(session: Session, settled_seconds: float) -> Iterator[str]:
    settled = now() - settled_seconds
    over = select(Notice.id, Notice.job_id).join(Job, Job.id == Notice.job_id).where(Job.status.not_in(UNFINISHED))
    forgotten = Notice.due_at.is_(None), Notice.sent_at.is_(None), Notice.error.is_(None)
    for notice, job_id in session.execute(over.where(*forgotten)):
        yield f"notice {notice} of job {job_id}: was not sent, and is not due"
    ownerless = Notice.worker_id.is_not(None), Notice.worker_id.not_in(select(WorkerRow.id))
    longer_ago = or_(Notice.handed_over_at.is_(None), Notice.handed_over_at < settled)
    for notice, job_id in session.execute(over.where(*ownerless, longer_ago)):
        yield f"notice {notice} of job {job_id}: is held by a worker that is gone"


def _files(site: Site, session: Session, settled_seconds: float) -> Iterator[str]:
    """Files that belong to nothing, and rows whose files are missing."""
    settled = Job.finished_at < now() - settled_seconds
    names = set(site.storage.names())
    photos = dict(session.execute(select(Upload.path, Upload.job_id)).all())
    folders = dict(session.execute(select(Face.folder, Face.job_id)).all())
    kept = {"/".join(folder.split("/")[:3]) for folder in folders}  # the runs that gave the faces
    rows = dict(session.execute(select(Job.id, Job.status)).all())
    over = set(session.scalars(select(Job.id).where(settled)))
    for name in sorted(names):
        found = _JOB_FILE.match(name)
        status = rows.get(int(found[1])) if found else None
        if found is None:
            yield f"{name}: belongs to nothing"
        elif status is None or (status in GONE and int(found[1]) in over):
            yield f"{name}: its job is gone"
        elif int(found[1]) not in over:
            continue
        elif found[2] and f"jobs/{found[1]}/{found[2]}" not in kept:
            yield f"{name}: was left by a run that broke off"
        elif (found[3] and name not in photos) or "/.partial-" in name:
            yield f"{name}: was left half-written"
    for photo, job_id in sorted(photos.items()):
        if photo not in names:
            yield f"{photo}: job {job_id} has lost this photo"
    for folder, job_id in sorted(folders.items()):
        if f"{folder}/face.json" not in names:
            yield f"{folder}: job {job_id} has lost this face"


def _scratch(site: Site) -> list[str]:
    return Scratch(site.settings.data_dir).owners()


def _receipts(site: Site, settled_seconds: float) -> list[str]:
    unnoted = Receipts(site.settings.data_dir).older_than(settled_seconds)
    return [f"receipts/{name}: a notice was sent, and the database has not been told" for name in unnoted]
