"""Faces get names from people: that of their photo, which begins as the name of its file."""

from __future__ import annotations

import re

from serving.errors import Refused
from serving.jobs import lookup
from serving.jobs.uploads import legible
from serving.language import N_
from serving.site import Site
from serving.store.tables import Upload

# As the form knows photos (submit.ts): the library's own list comes with numpy, which no web process loads.
_SUFFIX = re.compile(r"(?<=.)\.(jpe?g|png|webp|hei[cf]|gif|tiff?|bmp|avif|jxl|jp2)$", re.IGNORECASE)


def title(name: str) -> str:
    """What pages call a face: the name of its photo, without the suffix of a file."""
    return _SUFFIX.sub("", name)


def rename(site: Site, secret: str, number: int, name: str) -> None:
    """Call the photo of a face by another name.

    Raises: JobUnknown, JobGone, Refused.
    """
    if not legible(name):
        raise Refused("name", N_("Please give it a name."))
    job = lookup.find(site, secret)
    lookup.face_folder(job, number)
    photo = job.faces[number].photo
    with site.database.session() as session:
        session.get_one(Upload, job.uploads[photo].id).name = legible(name)
