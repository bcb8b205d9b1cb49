"""The page of whoever runs the site: the queue, the workers, what failed, and the disk. It shows no faces."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from babel.dates import format_datetime, format_timedelta
from flask import Response, current_app, flash, make_response, redirect, render_template, request, session, url_for
from sqlalchemy import func, select
from werkzeug.exceptions import NotFound, TooManyRequests

from serving.ids import new_secret
from serving.jobs import erasure, heartbeats, lookup, reasons, submission
from serving.language import N_
from serving.limits import Limits, network
from serving.pages.blueprint import language, pages, site, translate
from serving.pages.charts import charts
from serving.store.clock import read_clock
from serving.store.tables import Job, Notice, Status

SIGNED_IN_SECONDS = 8 * 3600
FAILURES = 50  # that are listed

_STATUSES = (
    (Status.SUBMITTED, N_("Submitted")),
    (Status.QUEUED, N_("Queued")),
    (Status.RUNNING, N_("Running")),
    (Status.DONE, N_("Done")),
    (Status.FAILED, N_("Failed")),
)


def _for_operators(view: Callable[..., Any]) -> Callable[..., Any]:
    """Show a view only after the password; without one in the settings there is no such page."""

    @wraps(view)
    def guarded(**arguments: Any) -> Any:
        if not site().settings.admin_password:
            raise NotFound
        if session.get("operator_until", 0) < time.time():
            return redirect(url_for("pages.sign_in"), 303)
        return view(**arguments)

    return guarded


@pages.route("/admin/sign-in", methods=["GET", "POST"])
def sign_in() -> Response:
    """Ask for the password."""
    password = site().settings.admin_password
    if not password:
        raise NotFound
    errors: dict[str, str] = {}
    if request.method == "POST":
        if _is_right(request.form.get("password", ""), password):
            session["operator_until"] = time.time() + SIGNED_IN_SECONDS
            session["operators_browser"] = session.get("operators_browser") or new_secret()
            session.permanent = True
            return make_response(redirect(url_for("pages.admin"), 303))
        errors["password"] = translate(N_("That is not the password."))
    return make_response(render_template("sign_in.html", errors=errors), 422 if errors else 200)


def _is_right(given: str, password: str) -> bool:
    """Whether a password is right.

    After many wrong ones from the same network a browser that an operator has used is still counted by itself, and any
    other one has to wait: nobody guesses on and on, and nobody keeps the operator out.

    Raises: TooManyRequests.
    """
    limits: Limits = current_app.extensions["limits"]
    whose = session.get("operators_browser") or network()
    right = hmac.compare_digest(given.encode(), password.encode())
    if not limits.may_guess(whose) and not (limits.guess_slowly() and right):
        raise TooManyRequests
    if not right:
        limits.count_guess(whose)
    return right


@pages.post("/admin/sign-out")
def sign_out() -> Response:
    """Forget that the password was given."""
    session.pop("operator_until", None)
    return make_response(redirect(url_for("pages.submit"), 303))


@pages.get("/admin")
@_for_operators
def admin() -> str:
    """How the site is doing."""
    with site().database.reading() as database:
        by_status = database.execute(select(Job.status, func.count()).group_by(Job.status))
        counts = {status: number for status, number in by_status}
        failed = lookup.whole_jobs().where(Job.status == Status.FAILED).order_by(Job.finished_at.desc()).limit(FAILURES)
        failures = list(database.scalars(failed))
        unsent = database.scalar(select(func.count()).select_from(Notice).where(Notice.due_at.is_not(None)))
        moment = read_clock(database)
    free = site().storage.free_bytes()
    return render_template(
        "admin.html",
        counts=[(label, counts.get(status, 0)) for status, label in _STATUSES],
        unsent=unsent,
        free=None if free is None else f"{free / 1e9:.1f} GB",
        charts=charts(site(), moment),
        disk=_disk(),
        workers=[(each.host, each.pid, _duration(moment - each.started_at)) for each in heartbeats.living(site())],
        failures=[(each, _when(each.finished_at), reasons.of_job(each, translate) or "") for each in failures],
    )


@pages.post("/admin/jobs/<int:number>/retry")
@_for_operators
def retry(number: int) -> Response:
    """Queue a failed job once more."""
    queued = submission.retry(site(), number)
    flash(translate(N_("Job %(number)s is queued again.") if queued else N_("Job %(number)s is gone."), number=number))
    return make_response(redirect(url_for("pages.admin"), 303))


@pages.post("/admin/jobs/<int:number>/delete")
@_for_operators
def delete_failed(number: int) -> Response:
    """Delete a failed job with its photos."""
    with site().database.reading() as database:
        failed = database.scalar(select(Job.id).where(Job.id == number, Job.status == Status.FAILED))
    if failed is not None:
        erasure.erase(site(), number, Status.DELETED)
    flash(translate(N_("Job %(number)s is deleted.") if failed else N_("Job %(number)s is gone."), number=number))
    return make_response(redirect(url_for("pages.admin"), 303))


def _disk() -> dict[str, object] | None:
    """How full the disk of the files is, None where they lie elsewhere."""
    room = site().storage.room()
    if room is None:
        return None
    free, total = room
    return {"share": round(1 - free / total, 3), "text": f"{(total - free) / 1e9:.0f} / {total / 1e9:.0f} GB"}


def _when(moment: float | None) -> str:
    return format_datetime(datetime.fromtimestamp(moment), "short", locale=language()) if moment else ""


def _duration(seconds: float) -> str:
    return format_timedelta(round(seconds), locale=language())
