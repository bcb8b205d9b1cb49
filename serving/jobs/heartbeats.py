"""Which worker processes are at work: each beats in its row, and one that stops beating counts as dead (runs.py)."""

from __future__ import annotations

import os
import socket
from uuid import uuid4

from sqlalchemy import ColumnElement, delete, select, update

from serving.site import Site
from serving.store.clock import now, read_clock
from serving.store.tables import WorkerRow

BEAT_SECONDS = 1.0


def register(site: Site, worker_id: str | None = None) -> str:
    """Enter this process, under a new id where it has none; the id that it beats and works under."""
    with site.database.session() as session:
        moment = read_clock(session)
        row = WorkerRow(id=worker_id or str(uuid4()), host=socket.gethostname()[:100], pid=os.getpid())
        row.started_at = row.beat_at = moment
        session.add(row)
    return row.id


def beat(site: Site, worker_id: str) -> bool:
    """Tell that a worker lives; False if it has been taken for dead, and must enter again."""
    with site.database.session() as session:
        beat_now = update(WorkerRow).where(WorkerRow.id == worker_id).values(beat_at=now())
        return session.scalar(beat_now.returning(WorkerRow.id)) is not None


def leave(site: Site, worker_id: str) -> None:
    """Take a worker out that has finished or returned all its work."""
    with site.database.session() as session:
        session.execute(delete(WorkerRow).where(WorkerRow.id == worker_id))


def living(site: Site) -> list[WorkerRow]:
    """The workers that beat of late."""
    with site.database.reading() as session:
        return list(session.scalars(select(WorkerRow).where(~silent(site)).order_by(WorkerRow.started_at)))


def all_ids(site: Site) -> list[str]:
    """The ids of all who are at work, or were and have not been taken for dead yet."""
    with site.database.reading() as session:
        return list(session.scalars(select(WorkerRow.id)))


def silent(site: Site) -> ColumnElement[bool]:
    """Whether a worker has not beaten for so long that it counts as dead."""
    return WorkerRow.beat_at <= now() - site.settings.worker_timeout
