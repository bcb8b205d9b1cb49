"""The live page: a face that moves with the visitor's own. Frames go to the live process, and to nobody else."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Response, g, make_response, render_template, request
from werkzeug.exceptions import NotFound

from serving.pages.blueprint import gallery, pages, site
from serving.pages.model_files import basis_address
from serving.settings import LIVE_PATH, Settings

_HOST = re.compile(r"[\w.:\[\]-]+")


@pages.get("/live")
def live() -> Response:
    """The page, whose scripts may connect to the live process beside the site itself."""
    if not site().settings.live or not _HOST.fullmatch(request.host):
        raise NotFound
    socket = socket_address(site().settings, request.host, request.is_secure)
    size = len(gallery().basis().content)
    page = render_template("live.html", socket=socket, basis=basis_address(), basis_bytes=size)
    parts = urlsplit(socket)
    g.connects = f"{parts.scheme}://{parts.netloc}"
    return make_response(page)


def socket_address(settings: Settings, host: str, secure: bool) -> str:
    """Where a page that was asked for at a host (with its port) finds the live process."""
    scheme = "wss" if secure else "ws"
    if settings.live_url.startswith("/"):
        return f"{scheme}://{host}{settings.live_url}"
    name = urlsplit(f"//{host}").hostname or "127.0.0.1"
    name = f"[{name}]" if ":" in name else name
    return settings.live_url or f"{scheme}://{name}:{settings.live_port}{LIVE_PATH}"
