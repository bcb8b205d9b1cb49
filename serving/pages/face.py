"""The page of a job, its progress or what it gave, and the list of one's own faces."""

from __future__ import annotations

from datetime import datetime

from babel.dates import format_datetime
from flask import Response, flash, make_response, redirect, render_template, session, url_for

from serving.api.models import job_answer
from serving.jobs import erasure, lookup, naming, reasons
from serving.language import N_
from serving.pages.blueprint import language, pages, site, translate
from serving.pages.result import result_page
from serving.store.tables import Status

STAGES = (
    ("waiting", N_("Waiting for its turn")),
    ("detect", N_("Finding the face")),
    ("network", N_("Estimating its shape")),
    ("files", N_("Unwrapping the photo, writing files")),
)
"""What a job goes through: the names of the interface, and ours."""


@pages.get("/jobs/<secret>")
def job(secret: str) -> str:
    """How far a job is, or what it gave."""
    lookup.find(site(), secret)  # says so if it is gone
    state = lookup.state(site(), secret)
    answer = job_answer(site().storage, secret, state)
    if state.status is Status.DONE:
        return result_page(secret, state, answer)
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
                "name": ", ".join(naming.title(upload.name) for upload in each.uploads),
                "sent": format_datetime(datetime.fromtimestamp(each.created_at), "medium", locale=language()),
                "failed": each.status == Status.FAILED,
                "delete": url_for("pages.delete", secret=secret),
            }
            for each, secret in mine
        ],
    )


def _picture(secret: str) -> str:
    return url_for("api.snapshot", secret=secret, number=0, size=256)
