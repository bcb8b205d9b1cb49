"""What operators ask: is the process alive, can the site work, and how is it doing."""

from __future__ import annotations

from flask import Blueprint, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from serving.errors import StorageError
from serving.jobs import heartbeats
from serving.metrics import site_registry
from serving.site import Site

operations = Blueprint("operations", __name__)


@operations.get("/healthz")
def healthz() -> dict[str, str]:
    """Whether this process answers."""
    return {"status": "ok"}


@operations.get("/readyz")
def readyz() -> tuple[dict[str, str], int]:
    """Whether the site can take a photo and process it."""
    checks = {"database": "ok", "storage": "ok", "workers": "ok"}
    site: Site = current_app.extensions["site"]
    try:
        if not heartbeats.living(site):
            checks["workers"] = "none is running"
    except SQLAlchemyError:
        checks["database"] = checks["workers"] = "cannot be asked"
    try:
        site.storage.check()
    except StorageError as error:
        checks["storage"] = str(error)
    ready = set(checks.values()) == {"ok"}
    return {"status": "ok" if ready else "not ready", **checks}, 200 if ready else 503


@operations.get("/metrics")
def metrics() -> Response:
    """Metrics for Prometheus. Workers have their own at their own port."""
    return Response(generate_latest(site_registry(current_app.extensions["site"])), content_type=CONTENT_TYPE_LATEST)
