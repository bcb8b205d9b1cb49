"""Errors as pages, or for their scripts as problem+json: what happened and what to do, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from serving.api.models import FieldProblem, Problem
from serving.api.problems import status_of
from serving.language import N_
from serving.pages.blueprint import pages, translate

_TEXTS = {
    403: (N_("Not for everyone"), N_("This site accepts photos only from programs with a key.")),
    404: (N_("There is nothing here"), N_("Perhaps the address is incomplete: links to faces are long.")),
    410: (N_("This face is gone"), N_("It was deleted or has expired. Nothing is left of it.")),
    413: (N_("Too much at once"), N_("Please send fewer or smaller photos.")),
    429: (N_("A little slower, please"), N_("Many photos came from your network. Please try again in a minute.")),
    503: (N_("Not right now"), N_("The site is busy. Please try again in a minute.")),
    507: (N_("No space left"), N_("The disk is full. Please try again later.")),
}
_REFUSED = (N_("That did not work"), N_("Please go back, load the page again, and try once more."))
_BROKEN = (N_("Something went wrong"), N_("This is our mistake. Please try again."))


@pages.errorhandler(Exception)
def error_page(error: Exception) -> Response:
    """The page that tells an error."""
    status, headers = status_of(error)
    if status == 500 and not isinstance(error, HTTPException):
        raise error  # the application logs it, and comes back with an InternalServerError
    title, text = _TEXTS.get(status, _REFUSED if status < 500 else _BROKEN)
    if wants_json():
        return field_problems({"form": translate(text)}, status, headers)
    return make_response(render_template("error.html", heading=title, text=text), status, headers)


def wants_json() -> bool:
    """Whether a script of ours asks, and not a person."""
    return request.accept_mimetypes.best == "application/json"


def field_problems(errors: Mapping[str, str], status: int, headers: Mapping[str, str]) -> Response:
    """What is wrong with the fields of a form, for its script."""
    fields = [FieldProblem(field=field, message=message) for field, message in errors.items()]
    body = Problem(title="Not right", status=status, detail=fields[0].message, errors=fields)
    return Response(body.model_dump_json(), status, headers, content_type="application/problem+json")
