"""How answers travel: compressed, in parts where somebody goes on with a download, and scripts kept for good.

Addresses of static files carry a digest of what they hold (`?v=...`), so that browsers need not ask for them again.
"""

from __future__ import annotations

import hashlib
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from flask import Flask, Response, request
from flask_compress import Compress
from werkzeug.wsgi import wrap_file

COMPRESSED = (
    "text/html text/css text/javascript text/plain application/json application/problem+json image/svg+xml "
    "application/octet-stream model/gltf-binary model/obj model/mtl"
).split()
FOR_GOOD = "public, max-age=31536000, immutable"
BROTLI_LEVEL = 5  # beyond it takes several times as long for a few percent
CHUNK = 1 << 18  # bytes of a file that are sent at a time
LARGE = 1 << 17  # bytes of an answer that takes long to compress
MOST_LARGE = 2  # of these that are compressed at a time; others go out as they are, so that nobody has to wait
HASHED = "chunk-"  # files whose name holds their digest: the bundler's


def deliver(app: Flask) -> None:
    """Let an application answer so."""
    app.config.update(
        COMPRESS_MIMETYPES=COMPRESSED,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["br", "gzip"],
        COMPRESS_BR_LEVEL=BROTLI_LEVEL,
        COMPRESS_REGISTER=False,
    )
    compress = Compress(app)
    places = app.extensions["compressing"] = threading.BoundedSemaphore(MOST_LARGE)

    def finish(response: Response) -> Response:
        if request.endpoint == "static" and _kept_for_good(app):
            response.headers["Cache-Control"] = FOR_GOOD
        if request.range is not None:
            return response  # a part is a part of the file as it is
        large = (response.content_length or 0) > LARGE
        if large and not places.acquire(blocking=False):
            response.vary.add("Accept-Encoding")
            return response
        close = getattr(response.response, "close", None)
        compress.after_request(response)
        if close is not None:
            response.call_on_close(close)  # of a file that is compressed while it is read
        if large and "Content-Encoding" in response.headers:
            response.call_on_close(places.release)
        elif large:
            places.release()
        return response

    app.after_request(finish)
    app.url_defaults(lambda endpoint, values: _add_digest(app, endpoint, values))


def stored_file(stream: BinaryIO, size: int, name: str, kind: str) -> Response:
    """A stored file, which never changes, so that a broken download can go on where it ended."""
    response = Response(
        wrap_file(request.environ, stream, CHUNK),
        mimetype=kind,
        headers={
            "Content-Length": str(size),
        },
        direct_passthrough=True,
    )
    response.set_etag(hashlib.sha256(f"{name} {size}".encode()).hexdigest()[:32])
    response.make_conditional(request.environ, accept_ranges=True, complete_length=size)
    return response


def _add_digest(app: Flask, endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static" and "filename" in values:
        values["v"] = _digest(str(app.static_folder), values["filename"])


def _kept_for_good(app: Flask) -> bool:
    name = (request.view_args or {}).get("filename", "")
    hashed = name.rpartition("/")[2].startswith(HASHED)
    return hashed or request.args.get("v") == _digest(str(app.static_folder), name)


@lru_cache(maxsize=256)
def _digest(folder: str, name: str) -> str:
    path = Path(folder) / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else ""
