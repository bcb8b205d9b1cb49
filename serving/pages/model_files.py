"""Files of the face model, the same for all its faces: browsers keep them for good, as their address has its digest."""

from __future__ import annotations

from flask import Response, request, url_for
from werkzeug.exceptions import NotFound

from serving.delivery import FOR_GOOD
from serving.pages.blueprint import gallery, pages, site
from serving.pictures.gallery import ModelFile

_DIGITS = 16  # of the model's digest, in an address
_ENDPOINTS = ("pages.expressions", "pages.basis")


@pages.get("/expressions/<model>.bin")
def expressions(model: str) -> Response:
    """What the expressions of a face model move."""
    return _answer(gallery().expressions(), model)


@pages.get("/live/<model>.bin")
def basis(model: str) -> Response:
    """What a browser draws any face of the model by."""
    if not site().settings.live:
        raise NotFound
    return _answer(gallery().basis(), model)


def expressions_address() -> str:
    """Where a page finds what expressions move."""
    return url_for("pages.expressions", model=gallery().expressions().model[:_DIGITS])


def basis_address() -> str:
    """Where a page finds what faces are drawn by."""
    return url_for("pages.basis", model=gallery().basis().model[:_DIGITS])


@pages.after_request
def keep_for_good(response: Response) -> Response:
    """They change only with the model."""
    if request.endpoint in _ENDPOINTS and response.status_code == 200:
        response.headers["Cache-Control"] = FOR_GOOD
        del response.headers["Vary"]
    return response


def _answer(made: ModelFile, model: str) -> Response:
    if model != made.model[:_DIGITS]:
        raise NotFound
    return Response(made.content, mimetype="application/octet-stream")
