"""Requests that are sent again: the same submission with the same Idempotency-Key is the same job.

Nothing is kept for it. The id of the job is a digest of the request under the site's own key, so that a second request
comes to the same id. Photos and fields are in the digest: who guesses a key finds nobody's job without their photo.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode

from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Request

from serving.errors import JobUnknown, Refused
from serving.jobs import lookup
from serving.site import Site
from serving.store.tables import GONE, Job

HEADER = "Idempotency-Key"
LONGEST_KEY = 200  # characters
SECRET_BYTES = 24  # as many as those of random ids
CHUNK = 1 << 20  # bytes that are digested at a time


class Repeats:
    """The ids that a request leads to, one after another: a further one where the job of the last was deleted."""

    def __init__(self, site: Site, request: Request) -> None:
        key = request.headers.get(HEADER, "")
        if len(key) > LONGEST_KEY:
            raise Refused(HEADER, f"{HEADER}: {len(key)} characters are too many; use {LONGEST_KEY} at most.")
        self._site = site
        self._request = _digest(site, request, key) if key else None

    def secret(self) -> str | None:
        """The id for a new job, None for a random one."""
        return self._last()[0]

    def job(self) -> Job | None:
        """The job that this request has made before."""
        return self._last()[1]

    def _last(self) -> tuple[str | None, Job | None]:
        if self._request is None:
            return None, None
        generation = 0
        while True:
            secret = hmac.digest(self._request, str(generation).encode(), "sha256")[:SECRET_BYTES]
            text = urlsafe_b64encode(secret).decode()
            try:
                job = lookup.find_even_gone(self._site, text)
            except JobUnknown:
                return text, None
            if job.status not in GONE:
                return text, job
            generation += 1


def _digest(site: Site, request: Request, key: str) -> bytes:
    fields = sorted(request.form.items(multi=True))
    photos = [[file.filename, _content_digest(file)] for file in request.files.getlist("photo")]
    said = json.dumps([key, request.headers.get("Authorization", ""), fields, photos]).encode()
    return hmac.digest(site.settings.site_key().encode(), b"idempotency " + said, "sha256")


def _content_digest(file: FileStorage) -> str:
    digest = hashlib.sha256()
    while chunk := file.stream.read(CHUNK):
        digest.update(chunk)
    file.stream.seek(0)
    return digest.hexdigest()
