"""Errors of the interface as application/problem+json (RFC 9457)."""

from __future__ import annotations

from flask import Response
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from serving.api.models import FieldProblem, Problem
from serving.errors import Busy, JobGone, JobUnknown, Refused, RenderingFailed, ServingError, StorageError
from serving.store.storage import is_full

RETRY_STORAGE_SECONDS = 30
RETRY_LIMITED_SECONDS = 60

_TITLES = {
    400: "Not understood",
    401: "A key is needed",
    404: "Not found",
    405: "Not possible",
    410: "Gone",
    413: "Too large",
    422: "Not right",
    429: "Too many requests",
    500: "Our mistake",
    503: "Not now",
    507: "No room",
}
_DETAILS = {
    500: "Something went wrong on our side. Please try again.",
    503: "The site is busy. Please try again in a minute.",
    507: "There is no room for more files at the moment. Please try again later.",
}


def status_of(error: Exception) -> tuple[int, dict[str, str]]:
    """The HTTP status of an error, and the headers that go with it."""
    match error:
        case Refused():
            return error.status, {}
        case Busy():
            return 503, {"Retry-After": str(error.retry_after)}
        case JobGone():
            return 410, {}
        case JobUnknown():
            return 404, {}
        case RenderingFailed():
            return 503, {"Retry-After": str(RETRY_STORAGE_SECONDS)}
        case StorageError() | OperationalError() | InternalError() | InterfaceError() | PoolTimeoutError():
            return 507 if is_full(error) else 503, {"Retry-After": str(RETRY_STORAGE_SECONDS)}
        case OSError() if is_full(error):
            return 507, {"Retry-After": str(RETRY_STORAGE_SECONDS)}
        case HTTPException():
            return error.code or 500, {"Retry-After": str(RETRY_LIMITED_SECONDS)} if error.code == 429 else {}
        case _:
            return 500, {}


def problem(error: Exception) -> Response:
    """The answer that tells an error; a mistake of ours is raised on."""
    status, headers = status_of(error)
    if status == 500 and not isinstance(error, HTTPException):
        raise error  # the application logs it, and comes back with an InternalServerError
    detail = _DETAILS.get(status, "Something went wrong. Please try again.")
    if isinstance(error, ServingError):
        detail = str(error)
    elif isinstance(error, HTTPException) and error.description and status != 500:
        detail = error.description
    errors = [FieldProblem(field=error.field, message=error.message)] if isinstance(error, Refused) else []
    body = Problem(title=_TITLES.get(status, "Problem"), status=status, detail=detail, errors=errors)
    return Response(body.model_dump_json(), status, headers, content_type="application/problem+json")
