"""Which worker processes are at work: each beats in its row, and one that stops beating counts as dead."""

from __future__ import annotations

import os
import socket
import time
from uuid import uuid4

from sqlalchemy import delete, select, update

from serving.site import Site
from serving.store.tables import WorkerRow

BEAT_SECONDS = 1.0


def register(site: Site) -> str:
    """Enter this process; the id that it beats and works under."""
    now = time.time()
    row = WorkerRow(id=str(uuid4()), host=socket.gethostname()[:100], pid=os.getpid(), started_at=now, beat_at=now)
    with site.database.session() as session:
        session.add(row)
    return row.id


def beat(site: Site, worker_id: str) -> bool:
    """Tell that a worker lives; False if it has been taken for dead, and must enter again."""
    with site.database.session() as session:
        beat_now = update(WorkerRow).where(WorkerRow.id == worker_id).values(beat_at=time.time())
        return session.scalar(beat_now.returning(WorkerRow.id)) is not None


def leave(site: Site, worker_id: str) -> None:
    """Take a worker out that has finished or returned all its work."""
    with site.database.session() as session:
        session.execute(delete(WorkerRow).where(WorkerRow.id == worker_id))


def living(site: Site) -> list[WorkerRow]:
    """The workers that beat of late."""
    with site.database.reading() as session:
        alive = WorkerRow.beat_at > time.time() - site.settings.worker_timeout
        return list(session.scalars(select(WorkerRow).where(alive).order_by(WorkerRow.started_at)))


def dead(site: Site) -> list[WorkerRow]:
    """The workers that stopped beating without leaving."""
    with site.database.reading() as session:
        return list(
            session.scalars(select(WorkerRow).where(WorkerRow.beat_at <= time.time() - site.settings.worker_timeout))
        )
