"""Slow pictures: turntables and large sets of snapshots, asked for by people, made by workers, and kept.

They have a queue of their own, the table `renderings`: one thread of each worker takes them one by one, so that they
hold up neither faces nor pages.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from serving.errors import Refused, RenderingFailed
from serving.pictures import drawing, kept
from serving.pictures.views import FILM_PIXELS, View, background_color, files_of, zip_of
from serving.site import Site
from serving.store.claims import claim_next
from serving.store.clock import now
from serving.store.tables import Rendering

MOST_ATTEMPTS = 3
MOST_OF_A_JOB = 12  # that are kept: they fill the disk
PAUSE_SECONDS = 5.0  # after an attempt that failed

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """What pictures somebody wants: a turntable (`mp4` or `gif`), or a `zip` of views."""

    kind: str
    views: Sequence[View] = ()
    size: int = FILM_PIXELS
    background: str = "white"

    @property
    def file(self) -> str:
        """The name under which they are kept."""
        if self.kind != "zip":
            return f"turntable.{self.kind}"
        return f"{hashlib.sha256(self.to_json().encode()).hexdigest()[:32]}.zip"

    def to_json(self) -> str:
        """For the table."""
        return json.dumps(asdict(self))


def ask(site: Site, job_id: int, folder: str, wanted: Wanted) -> bytes | None:
    """The pictures of the face in a folder, None if a worker is still to make them.

    Raises: RenderingFailed if that was tried in vain; whoever asks again begins anew. Refused if a job has too many.
    """
    with site.database.session() as session:
        row = session.scalar(select(Rendering).where(Rendering.folder == folder, Rendering.file == wanted.file))
        made = row is not None and row.made_at is not None
        failed = row is not None and not made and row.worker_id is None and row.attempts >= MOST_ATTEMPTS
        if row is not None and failed:
            row.attempts = 0
        elif row is None:
            _require_room(site, session, job_id, folder)
    if failed:
        raise RenderingFailed("These pictures could not be made. Please try again.")
    if made:
        return kept.find(site.storage, folder, wanted.file)
    if row is None:
        _enter(site, job_id, folder, wanted)
    return None


def make_next(site: Site, worker_id: str) -> bool:
    """Make pictures of the job for which none were made for longest; False if nobody waits."""
    rendering = _take(site, worker_id)
    if rendering is None:
        return False
    made = False
    try:
        content = _make(site, rendering.folder, Wanted(**json.loads(rendering.wanted)))
        kept.keep(site.storage, rendering.folder, rendering.file, content)
        made = True
    except Exception:  # the store is away, the job has just been deleted, or a mistake of ours
        _log.exception("pictures failed", extra={"job": rendering.job_id, "attempt": rendering.attempts})
    with site.database.session() as session:
        end = update(Rendering).where(Rendering.id == rendering.id)
        end = end.values(worker_id=None, made_at=now() if made else None, due_at=now() + PAUSE_SECONDS)
        deleted = session.scalar(end.returning(Rendering.id)) is None
    if deleted:
        kept.forget(site.storage, rendering.folder, rendering.file)
    return True


def _make(site: Site, folder: str, wanted: Wanted) -> bytes:
    files = files_of(site.storage, folder)
    if wanted.kind == "zip":
        color = background_color(wanted.background)
        angles = dict.fromkeys((yaw, pitch) for yaw, pitch in wanted.views)
        return zip_of((view, drawing.draw(files, view, wanted.size, color)) for view in angles)
    return drawing.turntable(files, wanted.kind)


def _take(site: Site, worker_id: str) -> Rendering | None:
    wanted = Rendering.made_at.is_(None), Rendering.attempts < MOST_ATTEMPTS
    others = aliased(Rendering)
    last_made = select(func.max(others.made_at)).where(others.job_id == Rendering.job_id).scalar_subquery()
    return claim_next(site.database, Rendering, worker_id, *wanted, order=(func.coalesce(last_made, 0.0),))


def _require_room(site: Site, session: Session, job_id: int, folder: str) -> None:
    ordered = session.scalar(select(func.count()).select_from(Rendering).where(Rendering.job_id == job_id)) or 0
    if ordered >= MOST_OF_A_JOB or not kept.has_room(site.storage, folder):
        raise Refused("size", "There are enough large sets of pictures of this face; please ask for fewer at a time.")


def _enter(site: Site, job_id: int, folder: str, wanted: Wanted) -> None:
    row = Rendering(job_id=job_id, folder=folder, file=wanted.file, wanted=wanted.to_json(), due_at=now())
    try:
        with site.database.session() as session:
            session.add(row)
    except IntegrityError:  # somebody else has asked in the same moment, or deleted the job
        pass
