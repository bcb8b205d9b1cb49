"""A job begins: people submit photos, and operators queue a failed job once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from serving.ids import digest, new_secret
from serving.jobs.erasure import erase
from serving.jobs.lookup import browser_seal
from serving.jobs.recipients import Recipient
from serving.jobs.uploads import CleanPhoto
from serving.jobs.waiting import require_room_in
from serving.settings import DAY
from serving.site import Site
from serving.store.clock import now, read_clock
from serving.store.tables import Job, Notice, OutboxEntry, Status, Upload, job_folder


@dataclass(frozen=True)
class Submission:
    """What one person sends at once."""

    photos: Sequence[CleanPhoto]
    faces_wanted: str = "largest"  # or all
    same_person: bool = False
    quality: str = "normal"  # or fast, best
    email: str | None = None
    webhook: str | None = None
    session: str | None = None  # browser session, for "my faces"
    language: str = "en"
    secret: str | None = None  # the id that it gets; None for a random one


@dataclass(frozen=True)
class Taken:
    """A job as whoever has just sent it sees it: the only time that its secret is seen."""

    id: int
    secret: str

    @property
    def folder(self) -> str:
        """Where all its files lie in the storage."""
        return job_folder(self.id)


def submit(site: Site, submission: Submission) -> Taken:
    """Store a job; once this returns, no crash can lose it.

    Raises: QueueFull, StorageFull, StorageError.
    """
    secret = submission.secret or new_secret()
    browser = submission.session
    with site.database.session() as session:
        moment = read_clock(session)
        require_room_in(session, site.settings)
        job = Job(
            digest=digest(secret),
            status=Status.SUBMITTED,
            faces_wanted=submission.faces_wanted,
            same_person=submission.same_person,
            quality=submission.quality,
            session=digest(browser) if browser else None,
            sealed=browser_seal(browser).seal(secret) if browser else None,
            language=submission.language,
            created_at=moment,
            expires_at=moment + site.settings.keep_days * DAY,
        )
        session.add(job)
    uploads = _uploads(job, submission)
    try:
        for upload, photo in zip(uploads, submission.photos):
            site.storage.write(upload.path, photo.jpeg)
        with site.database.session() as session:
            session.add_all([*uploads, *_notices(site, submission, job.id, secret)])
            session.add(OutboxEntry(job_id=job.id, due_at=now()))
    except BaseException:
        erase(site, job.id, Status.DELETED)
        raise
    return Taken(job.id, secret)


def _uploads(job: Job, submission: Submission) -> list[Upload]:
    """A row for each photo, with the place of its file."""
    return [
        Upload(
            job_id=job.id,
            number=number,
            name=photo.name,
            path=f"{job.folder}/photos/{number}.jpg",
            width=photo.width,
            height=photo.height,
            warnings=list(photo.warnings),
        )
        for number, photo in enumerate(submission.photos)
    ]


def _notices(site: Site, submission: Submission, job_id: int, secret: str) -> list[Notice]:
    wanted = (("mail", submission.email), ("webhook", submission.webhook))
    return [
        Notice(
            job_id=job_id,
            kind=kind,
            recipient=site.seal.mark(address),
            sealed=Recipient(address, secret).sealed(site.seal),
        )
        for kind, address in wanted
        if address
    ]


def retry(site: Site, job_id: int) -> bool:
    """Queue a failed job once more, as if it were new; False if there is no such job any more."""
    with site.database.session() as session:
        job = session.get(Job, job_id)
        if job is None or job.status != Status.FAILED:
            return False
        job.status, job.progress, job.stage, job.error = Status.SUBMITTED, 0.0, "", None
        job.started_at, job.finished_at, job.crashes = None, None, 0
        for upload in job.uploads:
            upload.error = None
        job.notices += _next_notices(job)
        session.add(OutboxEntry(job_id=job.id, due_at=now()))
        return True


def _next_notices(job: Job) -> list[Notice]:
    """What is to be sent at the next end of a job, beside what was not sent at the last one, which waits again."""
    latest = {(notice.kind, notice.recipient): notice for notice in job.notices}.values()
    for notice in latest:
        notice.due_at = None
    return [
        Notice(kind=notice.kind, recipient=notice.recipient, sealed=notice.sealed)
        for notice in latest
        if notice.sent_at is not None
    ]
