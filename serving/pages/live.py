"""The live page: a face that moves with the visitor's own. Frames go to the live process, and to nobody else."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Response, g, make_response, render_template, request, url_for
from werkzeug.exceptions import NotFound

from serving.delivery import FOR_GOOD
from serving.pages.blueprint import gallery, pages, site
from serving.settings import LIVE_PATH, Settings

MODEL_DIGITS = 16  # of the face model's digest, in the address of its basis
_HOST = re.compile(r"[\w.:\[\]-]+")


@pages.get("/live")
def live() -> Response:
    """The page, whose scripts may connect to the live process beside the site itself."""
    if not site().settings.live or not _HOST.fullmatch(request.host):
        raise NotFound
    socket = socket_address(site().settings, request.host, request.is_secure)
    made = gallery().basis()
    address = url_for("pages.basis", model=made.model[:MODEL_DIGITS])
    page = render_template("live.html", socket=socket, basis=address, basis_bytes=len(made.content))
    parts = urlsplit(socket)
    g.connects = f"{parts.scheme}://{parts.netloc}"
    return make_response(page)


@pages.get("/live/<model>.bin")
def basis(model: str) -> Response:
    """What a browser draws any face of the model by; it changes only with the model, so that browsers keep it."""
    if not site().settings.live or model != gallery().basis().model[:MODEL_DIGITS]:
        raise NotFound
    return Response(gallery().basis().content, mimetype="application/octet-stream")


@pages.after_request
def finish_live(response: Response) -> Response:
    """The basis is kept for good."""
    if request.endpoint == "pages.basis" and response.status_code == 200:
        response.headers["Cache-Control"] = FOR_GOOD
        del response.headers["Vary"]
    return response


def socket_address(settings: Settings, host: str, secure: bool) -> str:
    """Where a page that was asked for at a host (with its port) finds the live process."""
    scheme = "wss" if secure else "ws"
    if settings.live_url.startswith("/"):
        return f"{scheme}://{host}{settings.live_url}"
    name = urlsplit(f"//{host}").hostname or "127.0.0.1"
    name = f"[{name}]" if ":" in name else name
    return settings.live_url or f"{scheme}://{name}:{settings.live_port}{LIVE_PATH}"
