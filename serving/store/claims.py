"""Rows that wait for a worker, taken one by one: notices to send, pictures to make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, exists, or_, select

from serving.store.clock import now
from serving.store.database import Database
from serving.store.tables import Notice, Rendering, WorkerRow

Claimed = TypeVar("Claimed", Notice, Rendering)


def claim_next(
    database: Database,
    table: type[Claimed],
    worker_id: str,
    *conditions: ColumnElement[bool],
    order: Sequence[ColumnElement] = (),
) -> Claimed | None:
    """The first row in an order, and then the one that has been due for longest, of those that meet the conditions;
    nobody else takes it while this worker lives. A worker without a row of its own gets nothing, since others would
    take it away at once.

    What stands under its own name was left when the database went away in the middle: one thread takes the rows.
    """
    free = or_(table.worker_id.is_(None), table.worker_id == worker_id)
    due = table.due_at <= now(), free, exists().where(WorkerRow.id == worker_id), *conditions
    with database.reading() as session:
        if session.scalar(select(table.id).where(*due).limit(1)) is None:
            return None
    with database.session() as session:
        first = select(table).where(*due).order_by(*order, table.due_at).limit(1).with_for_update(skip_locked=True)
        row = session.scalar(first)
        if row is not None:
            row.worker_id = worker_id
            row.attempts += 1
        return row
