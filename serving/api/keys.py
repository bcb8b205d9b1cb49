"""Keys for programs: sent as `Authorization: Bearer KEY`, kept as digests."""

from __future__ import annotations

from flask import request
from sqlalchemy import select

from serving.errors import Refused
from serving.ids import digest, new_secret
from serving.site import Site
from serving.store.clock import now
from serving.store.tables import ApiKey


def make_key(site: Site, name: str) -> str:
    """Create a key; only its digest is kept."""
    key = new_secret()
    with site.database.session() as session:
        session.add(ApiKey(name=name, digest=digest(key), created_at=now()))
    return key


def require_key(site: Site) -> None:
    """Require a valid API key, unless the site takes photos from anybody.

    Raises: Refused.
    """
    key = request.authorization.token if request.authorization and request.authorization.type == "bearer" else None
    if key is None:
        if not site.settings.anonymous:
            raise Refused("authorization", "This site takes photos only with an API key.", 401)
        return
    with site.database.reading() as session:
        if session.scalar(select(ApiKey.id).where(ApiKey.digest == digest(key))) is None:
            raise Refused("authorization", "This API key is not known.", 401)
