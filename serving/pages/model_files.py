"""Files of the face model, the same for all its faces: browsers keep them for good, as addresses have their digests."""

from __future__ import annotations

from flask import Response, request, url_for
from werkzeug.exceptions import NotFound

from serving.delivery import FOR_GOOD
from serving.pages.blueprint import gallery, pages, site
from serving.pictures.gallery import ModelFile

_DIGITS = 16  # of a digest, in an address
_ENDPOINTS = ("pages.expressions", "pages.basis", "pages.lights")


@pages.get("/expressions/<digest>.bin")
def expressions(digest: str) -> Response:
    """What the expressions of a face model move."""
    return _answer(gallery().expressions(), digest)


@pages.get("/live/<digest>.bin")
def basis(digest: str) -> Response:
    """What a browser draws any face of the model by."""
    if not site().settings.live:
        raise NotFound
    return _answer(gallery().basis(), digest)


@pages.get("/lights/<digest>.bin")
def lights(digest: str) -> Response:
    """The lights that a face can be put in."""
    return _answer(gallery().lights(), digest)


def expressions_address() -> str:
    """Where a page finds what expressions move."""
    return url_for("pages.expressions", digest=gallery().expressions().digest[:_DIGITS])


def basis_address() -> str:
    """Where a page finds what faces are drawn by."""
    return url_for("pages.basis", digest=gallery().basis().digest[:_DIGITS])


def lights_address() -> str:
    """Where a page finds the lights that a face can be put in."""
    return url_for("pages.lights", digest=gallery().lights().digest[:_DIGITS])


@pages.after_request
def keep_for_good(response: Response) -> Response:
    """They change only with their address."""
    if request.endpoint in _ENDPOINTS and response.status_code == 200:
        response.headers["Cache-Control"] = FOR_GOOD
        del response.headers["Vary"]
    return response


def _answer(made: ModelFile, digest: str) -> Response:
    if digest != made.digest[:_DIGITS]:
        raise NotFound
    return Response(made.content, mimetype="application/octet-stream")
