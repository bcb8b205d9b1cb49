"""Jobs as people see them: submit, look, delete. What workers do with a job is in runs.py."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from serving.errors import JobGone, JobUnknown, QueueFull
from serving.ids import digest, new_secret
from serving.settings import Settings
from serving.site import Site
from serving.tables import GONE, UNFINISHED, WAITING, Face, Job, Notice, OutboxEntry, Status, Upload
from serving.uploads import CleanPhoto

DAY = 86400.0
ERASED = "erased"  # stage of a row whose files are gone for good
USUAL_SECONDS = 1.0  # that a job takes, while nothing is known
RECENT_JOBS = 20  # by whose times the wait is foretold
NO_SUCH_JOB = "There is no such face."


# What is asked at every look at a job is put together once: that takes longer than the database does.
_FOLLOWED = select(Job).options(joinedload(Job.uploads)).where(Job.digest == bindparam("digest"))
_BEFORE = select(func.count()).select_from(Job).where(Job.status.in_(UNFINISHED), Job.id < bindparam("job_id"))
_RECENT = (
    select(Job.started_at, Job.finished_at)
    .where(Job.finished_at.is_not(None), Job.started_at.is_not(None))
    .order_by(Job.finished_at.desc())
    .limit(RECENT_JOBS)
)


@dataclass(frozen=True)
class Submission:
    """What one person sends at once."""

    photos: Sequence[CleanPhoto]
    faces_wanted: str = "largest"  # or all
    same_person: bool = False
    email: str | None = None
    webhook: str | None = None
    session: str | None = None  # browser session, for "my faces"
    language: str = "en"


@dataclass(frozen=True)
class JobState:
    """A job at one moment, for a page or an answer of the API."""

    job: Job  # with uploads and faces, detached from the database
    position: int  # jobs before it, 0 when its turn has come
    wait_seconds: float  # until it is done, a guess; 0 when it is over

    @property
    def status(self) -> Status:
        """Where it is."""
        return Status(self.job.status)

    @property
    def over(self) -> bool:
        """Whether nothing will change any more, but that it expires or is deleted."""
        return self.status not in UNFINISHED


def submit(site: Site, submission: Submission) -> Job:
    """Take a job: when this returns, nothing that breaks can lose it.

    Raises: QueueFull, StorageFull, StorageError.
    """
    now = time.time()
    with site.database.session() as session:
        _require_room(session, site.settings)
        secret = new_secret()
        job = Job(
            secret=secret,
            digest=digest(secret),
            status=Status.SUBMITTED,
            faces_wanted=submission.faces_wanted,
            same_person=submission.same_person,
            session=submission.session,
            language=submission.language,
            created_at=now,
            expires_at=now + site.settings.keep_days * DAY,
        )
        session.add(job)
    uploads = [
        Upload(
            job_id=job.id,
            number=number,
            name=photo.name,
            path=f"{job.folder}/photos/{number}.jpg",
            width=photo.width,
            height=photo.height,
        )
        for number, photo in enumerate(submission.photos)
    ]
    try:
        for upload, photo in zip(uploads, submission.photos):
            site.storage.write(upload.path, photo.jpeg)
        with site.database.session() as session:
            session.add_all(uploads)
            session.add(OutboxEntry(job_id=job.id, due_at=now))
            for kind, address in (("mail", submission.email), ("webhook", submission.webhook)):
                if address:
                    session.add(Notice(job_id=job.id, kind=kind, address=address))
    except BaseException:
        erase(site, job.id, Status.DELETED)
        raise
    return job


def find(site: Site, secret: str) -> Job:
    """The job of a secret, with its uploads and faces.

    Raises: JobUnknown, JobGone.
    """
    job = find_even_gone(site, secret)
    if job.status in GONE:
        raise JobGone("This face has been deleted, or its time is over.")
    return job


def find_even_gone(site: Site, secret: str) -> Job:
    """As `find`, also if nothing but the row is left.

    Raises: JobUnknown.
    """
    with site.database.reading() as session:
        return _job_of(session, secret)


def _job_of(session: Session, secret: str) -> Job:
    job = session.scalar(whole_jobs().where(Job.digest == digest(secret)))
    if job is None:
        raise JobUnknown(NO_SUCH_JOB)
    return job


def state(site: Site, secret: str) -> JobState:
    """What to tell about a job now.

    Raises: JobUnknown.
    """
    with site.database.reading() as session:
        job = session.execute(_FOLLOWED, {"digest": digest(secret)}).unique().scalar_one_or_none()
        if job is None:
            raise JobUnknown(NO_SUCH_JOB)
        if job.status not in UNFINISHED:
            session.refresh(job, ["faces"])
            return JobState(job, 0, 0.0)
        set_committed_value(job, "faces", [])  # only its end brings some
        before = session.scalar(_BEFORE, {"job_id": job.id}) or 0 if job.status in WAITING else 0
        return JobState(job, before, (before + 1) * _seconds_for_one(session))


def of_session(site: Site, browser_session: str) -> list[Job]:
    """The jobs of a browser session that are still there, the newest first."""
    with site.database.reading() as session:
        jobs = whole_jobs().where(Job.session == browser_session, Job.status.not_in(GONE)).order_by(Job.id.desc())
        return list(session.scalars(jobs))


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
        session.add(OutboxEntry(job_id=job.id, due_at=time.time()))
        return True


def _next_notices(job: Job) -> list[Notice]:
    """What is to be sent at the next end of a job, beside what was not sent at the last one, which waits again."""
    latest = {(notice.kind, notice.address): notice for notice in job.notices}.values()
    for notice in latest:
        notice.due_at = None
    return [Notice(kind=notice.kind, address=notice.address) for notice in latest if notice.sent_at is not None]


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
        job.stage, job.finished_at = "", time.time()
    for mail in site.settings.mail_dir.glob(f"{job_id}-*.eml"):
        mail.unlink(missing_ok=True)
    site.storage.delete(job.folder)


def face_folder(job: Job, number: int) -> str:
    """Where the files of a face lie in the storage; faces are counted over all photos, from 0.

    Raises: JobUnknown if there is no such face.
    """
    faces: list[Face] = job.faces
    if not 0 <= number < len(faces):
        raise JobUnknown(NO_SUCH_JOB)
    return faces[number].folder


def whole_jobs() -> Select[Job]:
    """Jobs with their uploads and faces."""
    return select(Job).options(selectinload(Job.uploads), selectinload(Job.faces))


def _require_room(session: Session, settings: Settings) -> None:
    waiting = _count(session, Job.status.in_(WAITING))
    if waiting >= settings.max_queue:
        raise QueueFull(max(5, round(waiting * _seconds_for_one(session) / 2)))


def _count(session: Session, *conditions) -> int:
    return session.scalar(select(func.count()).select_from(Job).where(*conditions)) or 0


def _seconds_for_one(session: Session) -> float:
    """Time from one finished job to the next, of late, while there was always work."""
    rows = session.execute(_RECENT).all()
    spans = [(started, finished) for started, finished in rows if started is not None and finished is not None]
    if not spans:
        return USUAL_SECONDS
    busy, end = 0.0, float("inf")
    for started, finished in spans:  # the length of their union, from the last back
        busy += max(0.0, min(finished, end) - started)
        end = min(end, started)
    return busy / len(spans)
