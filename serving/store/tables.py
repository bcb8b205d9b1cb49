"""The tables of the site.

Times are seconds since 1970 by the database's clock; files lie in the storage under the job's row number.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Status(StrEnum):
    """Where a job is: submitted -> queued -> running -> done or failed -> expired or deleted."""

    SUBMITTED = "submitted"  # its rows are there
    QUEUED = "queued"  # the broker has its message
    RUNNING = "running"  # a worker holds it
    DONE = "done"  # at least one face
    FAILED = "failed"
    EXPIRED = "expired"  # nothing but this row is left
    DELETED = "deleted"  # nothing but this row is left


WAITING = (Status.SUBMITTED, Status.QUEUED)
UNFINISHED = (*WAITING, Status.RUNNING)
GONE = (Status.EXPIRED, Status.DELETED)


class Table(DeclarativeBase):
    """Root of all tables."""


class Job(Table):
    """What one person submitted at once. People hold its secret, logs carry its `id`."""

    __tablename__ = "jobs"
    __table_args__ = (Index("jobs_by_status", "status", "id"), {"sqlite_autoincrement": True})  # no number comes twice

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of the secret, all that outlives the job
    status: Mapped[str] = mapped_column(String(12))
    stage: Mapped[str] = mapped_column(String(16), default="")  # of the work, while running
    progress: Mapped[float] = mapped_column(default=0.0)  # in [0, 1]
    error: Mapped[str | None] = mapped_column(Text)  # one line for people

    faces_wanted: Mapped[str] = mapped_column(String(8), default="largest")  # or all
    same_person: Mapped[bool] = mapped_column(default=False)
    quality: Mapped[str] = mapped_column(String(8), default="normal")  # or fast, best
    session: Mapped[str | None] = mapped_column(String(64), index=True)  # digest of the browser session whose job it is
    sealed: Mapped[str | None] = mapped_column(Text)  # the secret, for whoever knows that session
    language: Mapped[str] = mapped_column(String(8), default="en")

    created_at: Mapped[float]
    queued_at: Mapped[float | None]  # when the broker last got a message for it
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None] = mapped_column(index=True)
    expires_at: Mapped[float] = mapped_column(index=True)

    worker_id: Mapped[str | None] = mapped_column(String(36), index=True)  # who holds it
    attempts: Mapped[int] = mapped_column(default=0)  # runs begun; a run may only finish its own
    alone: Mapped[bool] = mapped_column(default=False)  # its last worker died: it runs without neighbours
    crashes: Mapped[int] = mapped_column(default=0)  # workers that died while it ran alone
    batch_size: Mapped[int | None]  # photos that went through the network with it

    uploads: Mapped[list[Upload]] = relationship(order_by="Upload.number", cascade="all, delete-orphan")
    faces: Mapped[list[Face]] = relationship(order_by="(Face.photo, Face.number)", cascade="all, delete-orphan")
    notices: Mapped[list[Notice]] = relationship(cascade="all, delete-orphan")
    outbox: Mapped[list[OutboxEntry]] = relationship(cascade="all, delete-orphan")
    renderings: Mapped[list[Rendering]] = relationship(cascade="all, delete-orphan")

    @property
    def folder(self) -> str:
        """Where all its files lie in the storage."""
        return job_folder(self.id)


def job_folder(job_id: int) -> str:
    """Where all files of a job lie in the storage."""
    return f"jobs/{job_id}"


class Upload(Table):
    """One photo of a job."""

    __tablename__ = "uploads"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]  # from 0, in the order of the form
    name: Mapped[str] = mapped_column(String(200))  # as the person called it
    path: Mapped[str] = mapped_column(String(200))  # in the storage
    width: Mapped[int]
    height: Mapped[int]
    warnings: Mapped[list[str]] = mapped_column(JSON, default=list)  # the library's, about the file that was sent
    error: Mapped[str | None] = mapped_column(Text)  # why it gave no face


class Face(Table):
    """One face of a finished job."""

    __tablename__ = "faces"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    photo: Mapped[int]  # number of its upload
    number: Mapped[int]  # among the faces of that photo, the largest 0
    folder: Mapped[str] = mapped_column(String(200))  # of its files, in the storage


class OutboxEntry(Table):
    """A message that the broker is still to get."""

    __tablename__ = "outbox"
    __mapper_args__: ClassVar = {"confirm_deleted_rows": False}  # while a job is deleted, a worker may send its message

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    due_at: Mapped[float] = mapped_column(index=True)


class Rendering(Table):
    """Pictures of a face that take long: asked for, being made, or kept."""

    __tablename__ = "renderings"
    __table_args__ = (UniqueConstraint("folder", "file"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    folder: Mapped[str] = mapped_column(String(200))  # of the face, in the storage
    file: Mapped[str] = mapped_column(String(100))
    wanted: Mapped[str] = mapped_column(Text)  # JSON of `orders.Wanted`
    due_at: Mapped[float]
    made_at: Mapped[float | None]
    worker_id: Mapped[str | None] = mapped_column(String(36), index=True)  # who makes them
    attempts: Mapped[int] = mapped_column(default=0)


class Notice(Table):
    """A mail or webhook about the end of a job."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(8))  # mail or webhook
    recipient: Mapped[str] = mapped_column(String(64), index=True)  # mark of the address: equal ones are equal
    sealed: Mapped[str | None] = mapped_column(Text)  # address and secret, until nobody needs them any more
    due_at: Mapped[float | None] = mapped_column(index=True)  # None until the job ends, and again once sent or given up
    worker_id: Mapped[str | None] = mapped_column(String(36), index=True)  # who is sending it
    handed_over_at: Mapped[float | None]  # when a server was last about to get it, and may have taken it since
    sent_at: Mapped[float | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)


class WorkerRow(Table):
    """A worker process that is at work, or was."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    host: Mapped[str] = mapped_column(String(100))
    pid: Mapped[int]
    started_at: Mapped[float]
    beat_at: Mapped[float] = mapped_column(index=True)


class ApiKey(Table):
    """A key for programs; only its digest is kept."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[float]
