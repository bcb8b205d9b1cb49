"""What takes long: turntables, large sets of snapshots and materials, asked for by people, and kept.

Workers make them (`making.py`). They have a queue of their own, the table `renderings`: one thread of each worker takes
them one by one, so that they hold up neither faces nor pages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from serving.errors import Refused, RenderingFailed
from serving.pictures import kept
from serving.pictures.views import BARE, PHOTO, VIDEO_PIXELS, Look, View
from serving.site import Site
from serving.store.clock import now
from serving.store.tables import Rendering

MOST_ATTEMPTS = 3
MOST_OF_A_JOB = 12  # that are kept: they fill the disk
MATERIALS = {"material": "face_material.glb", "material_web": BARE}
"""The face without the light of its photo: for 3D programs, and for the viewer. By the names of their links."""


@dataclass(frozen=True)
class Wanted:
    """What somebody wants: a turntable (`mp4` or `gif`), a `zip` of views, or a file of `MATERIALS`."""

    kind: str
    views: Sequence[View] = ()
    size: int = VIDEO_PIXELS
    background: str = "white"
    look: str = PHOTO.name
    light: str = PHOTO.light

    @property
    def dress(self) -> Look:
        """What the surface shows."""
        return Look(self.look, self.light)

    @property
    def file(self) -> str:
        """The name under which they are kept."""
        if self.kind in MATERIALS:
            return MATERIALS[self.kind]
        if self.kind != "zip":
            return f"turntable.{self.kind}" if self.dress == PHOTO else f"turntable_{self.dress.label}.{self.kind}"
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
    if row is None:
        _enter(site, job_id, folder, wanted)
    return _made(site, folder, wanted) if made else None


def bare(site: Site, job_id: int, folder: str, look: Look) -> bool:
    """Whether a face can be drawn in a look: its light is off, where it is to stand in another. Ordered if not.

    Raises: as `ask`.
    """
    return look.name != "relit" or ask(site, job_id, folder, Wanted("material_web")) is not None


def _made(site: Site, folder: str, wanted: Wanted) -> bytes | None:
    """Pictures that were made; if somebody has taken the file away, they are made again."""
    content = kept.find(site.storage, folder, wanted.file)
    if content is None:
        with site.database.session() as session:
            again = update(Rendering).where(Rendering.folder == folder, Rendering.file == wanted.file)
            session.execute(again.values(made_at=None, attempts=0))
    return content


def _require_room(site: Site, session: Session, job_id: int, folder: str) -> None:
    ordered = session.scalar(select(func.count()).select_from(Rendering).where(Rendering.job_id == job_id)) or 0
    if ordered >= MOST_OF_A_JOB or not kept.has_room(site.storage, folder):
        raise Refused(
            "size", "Too many large sets of pictures of this face are being made. Please ask for fewer at a time."
        )


def _enter(site: Site, job_id: int, folder: str, wanted: Wanted) -> None:
    row = Rendering(job_id=job_id, folder=folder, file=wanted.file, wanted=wanted.to_json(), due_at=now())
    try:
        with site.database.session() as session:
            session.add(row)
    except IntegrityError:  # somebody else has asked in the same moment, or deleted the job
        pass
