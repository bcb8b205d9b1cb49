"""The workers' side of what takes long: they take what was ordered, one after the other, and make it."""

from __future__ import annotations

import json
import logging

from sqlalchemy import func, select, update
from sqlalchemy.orm import aliased

from serving.pictures import drawing, kept
from serving.pictures.materials import lit_face
from serving.pictures.orders import MATERIALS, MOST_ATTEMPTS, Wanted
from serving.pictures.views import background_color, files_of, zip_of
from serving.site import Site
from serving.store.claims import claim_next
from serving.store.clock import now
from serving.store.tables import Rendering

PAUSE_SECONDS = 5.0  # after an attempt that failed

_log = logging.getLogger(__name__)


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
    if wanted.kind in MATERIALS:
        return lit_face(site, folder, wanted.kind)
    look = wanted.dress
    files = files_of(site.storage, folder, look)
    if wanted.kind == "zip":
        color = background_color(wanted.background)
        angles = dict.fromkeys((yaw, pitch) for yaw, pitch in wanted.views)
        return zip_of(((view, drawing.draw(files, view, wanted.size, color, look)) for view in angles), look)
    return drawing.turntable(files, wanted.kind, look)


def _take(site: Site, worker_id: str) -> Rendering | None:
    wanted = Rendering.made_at.is_(None), Rendering.attempts < MOST_ATTEMPTS
    others = aliased(Rendering)
    last_made = select(func.max(others.made_at)).where(others.job_id == Rendering.job_id).scalar_subquery()
    return claim_next(site.database, Rendering, worker_id, *wanted, order=(func.coalesce(last_made, 0.0),))
