"""Which pages of other sites may call the interface (CORS): those of the setting `DEEP3D_CORS_ORIGINS`."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request

from serving.settings import Settings

ALLOWED = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Range",
    "Access-Control-Expose-Headers": "Location, Retry-After, Content-Range, ETag",
    "Access-Control-Max-Age": "86400",
}


def let_others_call(settings: Settings) -> Callable[[Response], Response]:
    """What to do with each answer of the interface."""
    origins = {origin.strip().rstrip("/") for origin in settings.cors_origins.split(",") if origin.strip()}

    def add(response: Response) -> Response:
        origin = request.headers.get("Origin", "")
        if not origins:
            return response
        response.vary.add("Origin")
        if "*" in origins or origin in origins:
            # No cookie goes along: whoever calls holds the id of a job, or a key.
            response.headers["Access-Control-Allow-Origin"] = "*" if "*" in origins else origin
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            response.headers.update(ALLOWED)
        return response

    return add
