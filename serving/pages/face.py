"""The pages of a job: its progress while it waits, the face in 3D when it is done, and the list of one's own faces."""

from __future__ import annotations

from datetime import datetime

from babel.dates import format_date, format_datetime
from flask import Response, flash, make_response, redirect, render_template, request, session, url_for
from werkzeug.exceptions import NotFound

from serving.api.models import FILES, FaceAnswer, job_answer
from serving.jobs import erasure, lookup, reasons
from serving.language import N_
from serving.pages.blueprint import language, pages, site, translate
from serving.pages.expressions import GROUPS
from serving.store.tables import Status

VIEWS = (
    (N_("Front"), 0, 0),
    (N_("Half left"), -40, 0),
    (N_("Half right"), 40, 0),
    (N_("Left profile"), -90, 0),
    (N_("Right profile"), 90, 0),
    (N_("Above"), 0, -35),
    (N_("Below"), 0, 35),
)
"""Preset angles: name, yaw, pitch; how the head is turned, in degrees."""

LOOKS = (
    ("texture", N_("Photo")),
    ("clay", N_("Clay")),
    ("wireframe", N_("Wireframe")),
    ("albedo", N_("Skin")),
    ("normals", N_("Normals")),
)

FIELD_OF_VIEW = 25  # degrees, as a portrait lens sees

STAGES = (
    ("waiting", N_("Waiting for its turn")),
    ("detect", N_("Finding the face")),
    ("network", N_("Working out its shape")),
    ("files", N_("Unwrapping the photo, writing files")),
)
"""What a job goes through: the names of the interface, and ours."""

_FILES = (
    ("glb", N_("Textured mesh with expressions, for 3D programs and browsers")),
    ("obj", N_("Mesh in millimetres")),
    ("mtl", N_("Material of the mesh")),
    ("texture", N_("The photo, unwrapped")),
    ("albedo", N_("The skin without the photo’s light")),
    ("ply", N_("Mesh with vertex colours")),
    ("json", N_("Pose, landmarks, coefficients, camera")),
    ("overlay", N_("Photo, mesh, and three views")),
)


@pages.get("/jobs/<secret>")
def job(secret: str) -> str:
    """How far a job is, or what it gave."""
    lookup.find(site(), secret)  # says so if it is gone
    state = lookup.state(site(), secret)
    answer = job_answer(secret, state)
    if state.status is Status.DONE:
        return _result(secret, answer.faces, state.job.expires_at)
    photos = [reasons.of_photo(upload, translate) for upload in state.job.uploads]
    return render_template(
        "job.html",
        secret=secret,
        job=answer,
        errors=[error for error in photos if error] or [reasons.of_job(state.job, translate)],
        stages=STAGES,
        started=state.status is Status.RUNNING,
    )


@pages.post("/jobs/<secret>/delete")
def delete(secret: str) -> Response:
    """Delete everything of a job."""
    erasure.delete(site(), secret)
    flash(translate(N_("Everything is deleted.")))
    return make_response(redirect(url_for("pages.my_faces"), 303))


@pages.get("/faces")
def my_faces() -> str:
    """The faces that this browser has sent."""
    browser = session.get("browser")
    mine = lookup.of_session(site(), browser) if browser else []
    return render_template(
        "my_faces.html",
        mine=[
            {
                "page": url_for("pages.job", secret=secret),
                "picture": _picture(secret) if each.status == Status.DONE else None,
                "name": ", ".join(upload.name for upload in each.uploads),
                "sent": format_datetime(datetime.fromtimestamp(each.created_at), "medium", locale=language()),
                "failed": each.status == Status.FAILED,
                "delete": url_for("pages.delete", secret=secret),
            }
            for each, secret in mine
        ],
    )


def _picture(secret: str) -> str:
    return url_for("api.snapshot", secret=secret, number=0, size=256)


def _result(secret: str, faces: list[FaceAnswer], expires_at: float) -> str:
    number = request.args.get("face", 1, type=int)
    if not 1 <= number <= len(faces):
        raise NotFound
    links = faces[number - 1].links.model_dump(by_alias=True)
    return render_template(
        "result.html",
        secret=secret,
        face={"number": number, "links": links},
        faces=[{"number": n, "page": url_for("pages.job", secret=secret, face=n)} for n in range(1, len(faces) + 1)],
        views=VIEWS,
        looks=LOOKS,
        field_of_view=FIELD_OF_VIEW,
        expressions=GROUPS,
        files=[(FILES[key], what, links[key]) for key, what in _FILES],
        expires=format_date(datetime.fromtimestamp(expires_at), "long", locale=language()),
    )
