"""Faces get names from people: that of their photo, which begins as the name of its file."""

from __future__ import annotations

from serving.errors import Refused
from serving.jobs import lookup
from serving.jobs.uploads import clean_name
from serving.language import N_
from serving.site import Site
from serving.store.tables import Upload


def rename(site: Site, secret: str, number: int, name: str) -> None:
    """Call the photo of a face by another name.

    Raises: JobUnknown, JobGone, Refused.
    """
    if not name.strip():
        raise Refused("name", N_("Please give it a name."))
    job = lookup.find(site, secret)
    lookup.face_folder(job, number)
    photo = job.faces[number].photo
    with site.database.session() as session:
        session.get_one(Upload, job.uploads[photo].id).name = clean_name(name)
