"""The first page: a form for photos."""

from __future__ import annotations

import io

from flask import Response, current_app, jsonify, make_response, redirect, render_template, request, url_for
from PIL import Image
from werkzeug.exceptions import Forbidden, RequestEntityTooLarge

from serving.api.problems import status_of
from serving.errors import Busy, Refused, StorageError
from serving.jobs import submission
from serving.jobs.addresses import clean_email
from serving.jobs.submission import Submission
from serving.jobs.uploads import TOO_LARGE, Reader, clean_photos
from serving.jobs.waiting import foretold, require_room
from serving.language import N_
from serving.pages.blueprint import browser_session, language, own_forms_only, pages, site, translate
from serving.pages.errors import field_problems, wants_json
from serving.pages.examples import EXAMPLES
from serving.places import Places

LONG_WAIT_SECONDS = 20  # from which it is worth while to be told by mail
PREVIEW_PIXELS = 320

FORMATS = (
    (
        "cube",
        N_("3D model"),
        "GLB · OBJ · PLY",
        N_("with 52 expressions and 15 mouth shapes, for Blender, Unity and the web"),
    ),
    ("photo", N_("Pictures"), "JPG · PNG", N_("from any side, in any light")),
    ("film", N_("Turntable"), "MP4 · GIF", N_("the head turning once round")),
    ("code", N_("Numbers"), "JSON", N_("pose, landmarks, shape and camera")),
)
"""What one gets: icon, name, formats, and what for."""

QUALITIES = {
    "fast": N_("Fast: a first impression"),
    "normal": N_("Normal"),
    "best": N_("Best: finer shape, takes longer"),
}
"""How much is done for a face."""

NO_CONSENT = N_("Please confirm this first.")
TOO_MUCH = N_("Together, the photos are too large. Please send fewer or smaller ones.")


@pages.route("/", methods=["GET", "POST"])
@own_forms_only
def submit() -> Response | str:
    """The form; once sent it leads to the page of the job, or is shown again with what is wrong in it.

    A script that sends the form asks for JSON: then the browser keeps the chosen photos while errors are shown.
    """
    if not site().settings.anonymous:
        raise Forbidden
    if request.method != "POST":  # HEAD is answered like GET
        return _form({}, {})
    try:
        require_room(site())
        job = submission.submit(site(), _submission())
    except (_Wrong, Busy, StorageError, RequestEntityTooLarge) as error:
        return _refusal(error)
    page = url_for("pages.job", secret=job.secret)
    return jsonify(page=page) if wants_json() else make_response(redirect(page, 303))


class _Wrong(Exception):
    """Fields that cannot be taken, each with the reason, in the language of the person."""

    def __init__(self, errors: dict[str, str], status: int) -> None:
        super().__init__(errors)
        self.errors = errors
        self.status = status


def _submission() -> Submission:
    """What the form holds.

    Raises: _Wrong, with everything that is wrong in it.
    """
    errors: dict[str, str] = {}
    status = 422
    photos, email = [], None
    files = [(file.filename or "", file.stream) for file in request.files.getlist("photo") if file.filename]
    try:
        photos = clean_photos(files, site().settings, reader())
    except Refused as error:
        errors["photo"], status = translate(error.text, **error.values), error.status
    try:
        email = clean_email(request.form.get("email", ""))
    except Refused as error:
        errors["email"] = translate(error.text, **error.values)
    if request.form.get("consent") != "yes":
        errors["consent"] = translate(NO_CONSENT)
    try:
        if not errors:
            current_app.extensions["limits"].count_mail(email)
    except Refused as error:
        errors["email"], status = translate(error.text, **error.values), error.status
    if errors:
        raise _Wrong(errors, status)
    wanted = request.form.get("faces")
    return Submission(
        photos,
        faces_wanted="all" if wanted == "all" else "largest",
        same_person=wanted == "together",
        quality=chosen if (chosen := request.form.get("quality")) in QUALITIES else "normal",
        email=email,
        session=browser_session(),
        language=language(),
    )


def _refusal(error: _Wrong | Busy | StorageError | RequestEntityTooLarge) -> Response:
    match error:
        case _Wrong():
            errors, status, headers = error.errors, error.status, {}
        case RequestEntityTooLarge():
            errors, status, headers = {"photo": translate(TOO_MUCH)}, 413, {}
        case _:
            status, headers = status_of(error)
            full = N_("The disk is full. Please try again later.")
            busy = N_("The site is busy. Please try again in a minute.")
            errors = {"form": translate(full if status == 507 else busy)}
    if wants_json():
        return field_problems(errors, status, headers)
    return make_response(_form(errors, _typed()), status, headers)


def _form(errors: dict[str, str], typed: dict[str, str]) -> str:
    settings = site().settings
    limits = {
        "bytes": int(settings.max_photo_mb * 1e6),
        "bytes_together": int(settings.max_upload_mb * 1e6),
        "megabytes": f"{settings.max_photo_mb:g}",
        "photos": settings.max_photos,
        "days": f"{settings.keep_days:g}",
    }
    return render_template(
        "submit.html",
        errors=errors,
        form=typed,
        limits=limits,
        too_large=TOO_LARGE,
        too_much=TOO_MUCH,
        long_wait=foretold(site()) > LONG_WAIT_SECONDS,
        examples=EXAMPLES.values(),
        formats=FORMATS,
        qualities=QUALITIES,
    )


@pages.post("/preview")
@own_forms_only
def preview() -> Response:
    """A small JPG of a photo that a browser cannot show itself; nothing of it is kept."""
    file = request.files.get("photo")
    previews: Places = current_app.extensions["previews"]
    with previews.take():
        [photo] = clean_photos([(file.filename or "", file.stream)] if file else [], site().settings, reader())
    image = Image.open(io.BytesIO(photo.jpeg))
    image.draft("RGB", (PREVIEW_PIXELS, PREVIEW_PIXELS))
    image.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS))
    small = io.BytesIO()
    image.save(small, "JPEG")
    return Response(small.getvalue(), mimetype="image/jpeg")


def reader() -> Reader:
    """What reads photos in this process."""
    return current_app.extensions["reader"]


def _typed() -> dict[str, str]:
    try:
        return request.form.to_dict()
    except RequestEntityTooLarge:
        return {}  # nobody has read it
