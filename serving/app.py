"""The web application: pages, interface and what operators ask; it writes rows and files, and never loads torch."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from deep3d.memory import share_heaps
from serving.api import api, operations
from serving.api.cors import let_others_call
from serving.api.events import MOST_STREAMS
from serving.api.problems import problem
from serving.delivery import deliver
from serving.jobs.uploads import Reader
from serving.limits import Limits
from serving.logs import configure_logs
from serving.pages import error_page, pages
from serving.pictures.gallery import Gallery
from serving.places import Places
from serving.settings import Settings
from serving.site import Site
from serving.store.storage import keep_files_private

SUBMITTING = ("api.submit", "pages.submit", "pages.try_example")  # views whose POSTs count against the limit
WITHOUT_COOKIE = ("pages.submit", "pages.try_example", "pages.preview")  # they ask where a form comes from instead
MY_FACES = "pages.my_faces"
COOKIE_DAYS = 365
WAITING = 16  # requests that wait for a download at most, and as many for a preview: submissions come first
PATIENCE_SECONDS = 20.0  # of each of them

_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self'",
        "connect-src 'self' blob: data:{connects}",  # the textures of a GLB are loaded as blobs
        "font-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_log = logging.getLogger(__name__)


class _Web(Flask):
    """Flask, whose log of an unexpected error carries no path, since that holds the secret of a job."""

    def log_exception(self, exc_info) -> None:
        """Log the view instead."""
        _log.error("%s %s failed", request.method, request.endpoint, exc_info=exc_info)


def create_app(settings: Settings) -> Flask:
    """The application of a site.

    Raises: SettingsError.
    """
    app = _Web(__name__)
    app.config.update(
        SECRET_KEY=settings.site_key(),
        MAX_CONTENT_LENGTH=int(settings.max_upload_mb * 1e6),
        MAX_FORM_PARTS=settings.max_photos + 50,
        SESSION_COOKIE_NAME="deep3d",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https:"),
        PERMANENT_SESSION_LIFETIME=COOKIE_DAYS * 86400,
        WTF_CSRF_SSL_STRICT=False,  # it would ask for the Referer that our own policy keeps back
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form may stay open over lunch
    )
    app.extensions["site"] = Site.open(settings)
    app.extensions["reader"] = Reader()
    app.extensions["gallery"] = Gallery(app.extensions["site"].storage)
    app.extensions["zips"] = Places("downloads", 2, waiting=WAITING, patience=PATIENCE_SECONDS)
    app.extensions["previews"] = Places("previews", 1, waiting=WAITING, patience=PATIENCE_SECONDS)
    app.extensions["streams"] = threading.BoundedSemaphore(MOST_STREAMS)
    for blueprint in (api, operations, pages):
        app.register_blueprint(blueprint)
    deliver(app)
    csrf = CSRFProtect(app)
    csrf.exempt(api)  # its requests carry the id or a key, and no cookie counts
    for endpoint in WITHOUT_COOKIE:
        csrf.exempt(app.view_functions[endpoint])
    _limit_submissions(app, settings)
    app.after_request(_security_headers(settings))
    app.after_request_funcs.setdefault(api.name, []).append(let_others_call(settings))
    _tell_errors(app)
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)
    return app


def create_app_from_environment() -> Flask:
    """The application as the environment says; for gunicorn.

    Raises: SettingsError.
    """
    settings = Settings.from_env(os.environ)
    keep_files_private(settings.data_dir)
    configure_logs(settings.log_level)
    app = create_app(settings)
    start_processes(app)
    return app


def start_processes(app: Flask) -> None:
    """Start the processes beside the web's, and let its many threads share their memory: for a process of our own."""
    share_heaps()
    for name in ("reader", "gallery"):
        app.extensions[name].pool.start()


def _limit_submissions(app: Flask, settings: Settings) -> None:
    limits = app.extensions["limits"] = Limits(app, settings)
    limit = limits.limiter.shared_limit(f"{settings.submits_per_minute} per minute", scope="submit", methods=["POST"])
    previews = limits.limiter.shared_limit(f"{settings.submits_per_minute} per minute", scope="preview")
    views: dict[str, Any] = app.view_functions
    for endpoint in SUBMITTING:
        views[endpoint] = limit(views[endpoint])
    views["pages.preview"] = previews(views["pages.preview"])  # of which one form may ask for several


def _security_headers(settings: Settings) -> Callable[[Response], Response]:
    def add(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = _SECURITY_POLICY.format(
            connects=f" {g.connects}" if "connects" in g else ""
        )
        headers["Referrer-Policy"] = "no-referrer"  # the address of a result is its secret
        headers["X-Content-Type-Options"] = "nosniff"
        if "secret" in (request.view_args or {}) or request.endpoint == MY_FACES:
            headers["Cache-Control"] = "no-store"  # what is deleted is gone for browsers and proxies too
        headers["X-Robots-Tag"] = "noindex, nofollow"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")  # the interface may allow others
        headers["Permissions-Policy"] = "camera=(self), geolocation=(), microphone=()"
        if settings.base_url.startswith("https:"):
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return response

    return add


def _tell_errors(app: Flask) -> None:
    """Errors outside of any blueprint, and mistakes of ours: for programs as problem+json, for people as a page."""

    def tell(error: Exception) -> Response:
        asked_by_program = request.path.startswith(str(api.url_prefix))
        return problem(error) if asked_by_program else error_page(error)

    app.register_error_handler(HTTPException, tell)
