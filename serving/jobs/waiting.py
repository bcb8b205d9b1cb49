"""How long people wait: whether the queue has room for one more job, and how long one takes of late."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from serving.errors import QueueFull
from serving.settings import Settings
from serving.site import Site
from serving.store.tables import WAITING, Job, Status

USUAL_SECONDS = 0.4  # from one job to the next, while nothing is known: two cores, normal quality
RECENT_JOBS = 20  # by whose times the wait is foretold

# What is asked at every look at a job is put together once: that takes longer than the database does.
_RECENT = (
    select(Job.started_at, Job.finished_at)
    .where(Job.status.in_((Status.DONE, Status.FAILED)), Job.finished_at.is_not(None), Job.started_at.is_not(None))
    .order_by(Job.finished_at.desc())
    .limit(RECENT_JOBS)
)


def require_room(site: Site) -> None:
    """Raises: QueueFull if no more jobs may wait; nobody's photos need to be read then."""
    with site.database.reading() as session:
        require_room_in(session, site.settings)


def require_room_in(session: Session, settings: Settings) -> None:
    """As `require_room`, within a transaction."""
    waiting = _count(session, Job.status.in_(WAITING))
    if waiting >= settings.max_queue:
        raise QueueFull(max(5, round(waiting * seconds_for_one(session) / 2)))


def foretold(site: Site) -> float:
    """Estimated seconds until the turn of a photo sent now."""
    with site.database.reading() as session:
        return _count(session, Job.status.in_(WAITING)) * seconds_for_one(session)


def _count(session: Session, *conditions) -> int:
    return session.scalar(select(func.count()).select_from(Job).where(*conditions)) or 0


def seconds_for_one(session: Session) -> float:
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
