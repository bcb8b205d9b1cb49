"""Jobs as people see them: found by their secret, with what there is to tell of them now."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from serving.errors import JobGone, JobUnknown
from serving.ids import digest
from serving.jobs.waiting import seconds_for_one
from serving.sealing import Seal
from serving.site import Site
from serving.store.tables import GONE, UNFINISHED, WAITING, Face, Job, Status

NO_SUCH_JOB = "There is no such face."

# What is asked at every look at a job is put together once: that takes longer than the database does.
_FOLLOWED = select(Job).options(joinedload(Job.uploads)).where(Job.digest == bindparam("digest"))
_BEFORE = select(func.count()).select_from(Job).where(Job.status.in_(UNFINISHED), Job.id < bindparam("job_id"))


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


def find(site: Site, secret: str) -> Job:
    """The job of a secret, with its uploads and faces.

    Raises: JobUnknown, JobGone.
    """
    job = find_even_gone(site, secret)
    if job.status in GONE:
        raise JobGone("This face was deleted or has expired.")
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
        return JobState(job, before, (before + 1) * seconds_for_one(session))


def of_session(site: Site, browser_session: str) -> list[tuple[Job, str]]:
    """The jobs of a browser session that are still there, each with its secret, the newest first."""
    seal = browser_seal(browser_session)
    mine = Job.session == digest(browser_session), Job.status.not_in(GONE), Job.sealed.is_not(None)
    with site.database.reading() as session:
        jobs = session.scalars(whole_jobs().where(*mine).order_by(Job.id.desc()))
        return [(job, seal.open(str(job.sealed))) for job in jobs]


def browser_seal(browser_session: str) -> Seal:
    """Seals the secrets of jobs for the browser that sent them: the database knows the digest of its session alone."""
    return Seal(browser_session, "jobs of a browser")


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
