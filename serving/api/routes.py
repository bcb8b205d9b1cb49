"""The routes under /api/v1. Whoever holds the id of a job may do everything with it; nothing here looks at cookies."""

from __future__ import annotations

import io
import json
import mimetypes
import zipfile
from typing import TypeVar

from flask import Blueprint, Response, current_app, request, stream_with_context, url_for
from pydantic import BaseModel, ValidationError

from serving import __version__
from serving.api.events import job_events
from serving.api.keys import require_key
from serving.api.models import (
    DOWNLOADS,
    FILES,
    HAIR_FILES,
    JobAnswer,
    JobForm,
    LookQuery,
    SnapshotQuery,
    SubmissionHeaders,
    SubmittedAnswer,
    SubmittedLinks,
    WaitingAnswer,
    job_answer,
)
from serving.api.openapi import Description, described, openapi_document
from serving.api.problems import problem
from serving.api.repeats import Repeats
from serving.delivery import stored_file
from serving.errors import JobUnknown, Refused
from serving.jobs import erasure, lookup, submission
from serving.jobs.addresses import clean_email, clean_webhook
from serving.jobs.submission import Submission
from serving.jobs.uploads import clean_photos
from serving.jobs.waiting import require_room
from serving.language import LANGUAGES, best_language
from serving.pictures import orders, views
from serving.pictures.gallery import Gallery
from serving.pictures.orders import Wanted
from serving.pictures.orientation import exif_segment
from serving.places import Places
from serving.site import Site
from serving.store.storage import Storage
from serving.store.tables import Status

KINDS = {"glb": "model/gltf-binary", "obj": "model/obj", "mtl": "model/mtl", "ply": "application/octet-stream"}
PICTURES = (".png", ".jpg")  # files that are compressed already
RENDERING_SECONDS = 2  # after which it is worth while to ask again
api = Blueprint("api", __name__, url_prefix="/api/v1")
api.register_error_handler(Exception, problem)

Model = TypeVar("Model", bound=BaseModel)


@api.post("/jobs")
@described(
    Description(
        status=202,
        answer=SubmittedAnswer,
        form=JobForm,
        headers=SubmissionHeaders,
        photos=True,
        problems=(400, 401, 413, 422, 429, 503, 507),
    )
)
def submit() -> tuple[dict, int, dict[str, str]]:
    """Submit photos. A repeat with the same Idempotency-Key returns the same job."""
    site = _site()
    require_key(site)
    _require_files()
    form = _checked(JobForm, request.form.to_dict())
    repeats = Repeats(site, request)
    if (taken := repeats.job()) is not None:
        return _submitted(str(repeats.secret()), Status(taken.status))
    require_room(site)
    photos = clean_photos(
        [(file.filename or "", file.stream) for file in request.files.getlist("photo")],
        site.settings,
        current_app.extensions["reader"],
    )
    email, webhook = clean_email(form.email), clean_webhook(form.webhook, site.settings)
    current_app.extensions["limits"].count_mail(email)
    wanted = [form.language] if form.language in LANGUAGES else list(request.accept_languages.values())
    job = submission.submit(
        site,
        Submission(
            photos,
            faces_wanted=form.faces,
            same_person=form.same_person,
            quality=form.quality,
            email=email,
            webhook=webhook,
            language=best_language(wanted),
            secret=repeats.secret(),
        ),
    )
    return _submitted(job.secret, Status.SUBMITTED)


def _submitted(secret: str, status: Status) -> tuple[dict, int, dict[str, str]]:
    links = SubmittedLinks(
        self=url_for("api.look", secret=secret),
        page=url_for("pages.job", secret=secret),
        events=url_for("api.events", secret=secret),
    )
    answer = SubmittedAnswer(id=secret, status=status, links=links)
    return answer.model_dump(by_alias=True), 202, {"Location": links.self}


@api.get("/jobs/<secret>")
@described(Description(answer=JobAnswer))
def look(secret: str) -> dict:
    """Get a job: its progress and its files."""
    state = lookup.state(_site(), secret)
    if state.status is Status.DELETED:
        lookup.find(_site(), secret)  # says that it is gone
    return job_answer(_site().storage, secret, state).model_dump(by_alias=True)


@api.delete("/jobs/<secret>")
@described(Description(status=204))
def delete(secret: str) -> tuple[str, int]:
    """Delete a job with all its files, at once."""
    erasure.delete(_site(), secret)
    return "", 204


@api.get("/jobs/<secret>/events")
@described(Description(answer="text/event-stream", problems=(404, 410, 503)))
def events(secret: str) -> Response:
    """Follow a job by server-sent events: the whole job at each change, until it ends."""
    lookup.find(_site(), secret)
    stream = job_events(_site(), secret)
    return Response(
        stream_with_context(stream),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@api.get(f"/jobs/<secret>/faces/<int:number>/<any({','.join(DOWNLOADS)}):name>")
@described(Description(tag="Files"))
def face_file(secret: str, number: int, name: str) -> Response:
    """Download a file of a face."""
    return _file(f"{lookup.face_folder(lookup.find(_site(), secret), number)}/{name}")


@api.get("/jobs/<secret>/faces/<int:number>/face.zip")
@described(Description(answer="application/zip", tag="Files", problems=(404, 410, 503)))
def zip_of_files(secret: str, number: int) -> Response:
    """Download all files of a face as one ZIP."""
    folder = lookup.face_folder(lookup.find(_site(), secret), number)
    places: Places = current_app.extensions["zips"]
    with places.take():
        return _download(_zipped(_site().storage, folder), "application/zip", "face.zip", "attachment")


def _zipped(storage: Storage, folder: str) -> bytes:
    archive = io.BytesIO()
    hair = (name for name in HAIR_FILES.values() if storage.exists(f"{folder}/{name}"))
    with zipfile.ZipFile(archive, "w", compresslevel=1) as file:
        for name in (*FILES.values(), *hair):
            kind = zipfile.ZIP_STORED if name.endswith(PICTURES) else zipfile.ZIP_DEFLATED
            file.writestr(name, storage.read(f"{folder}/{name}"), kind)
    return archive.getvalue()


@api.get("/jobs/<secret>/faces/<int:number>/photo.jpg")
@described(Description(answer="image/jpeg", tag="Files"))
def photo(secret: str, number: int) -> Response:
    """Download the photo of a face, upright and without its metadata."""
    job = lookup.find(_site(), secret)
    turn = _turn(lookup.face_folder(job, number))
    return _file(job.uploads[job.faces[number].photo].path, after_start=exif_segment(turn))


@api.get("/jobs/<secret>/faces/<int:number>/snapshots.zip")
@described(
    Description(
        answer="application/zip",
        tag="Pictures",
        query=SnapshotQuery,
        waiting=WaitingAnswer,
        problems=(404, 410, 422, 503),
    )
)
def snapshots_zip(secret: str, number: int) -> Response:
    """Download pictures of a face, one JPG for each angle. A worker makes large sets."""
    job = lookup.find(_site(), secret)
    folder = lookup.face_folder(job, number)
    query = _checked(SnapshotQuery, request.args.to_dict())
    angles, look = _views(query), query.dress()
    if not orders.bare(_site(), job.id, folder, look):
        return _waiting()
    if views.takes_long(angles, query.size):
        wanted = Wanted("zip", angles, query.size, query.background, look.name, look.light)
        content = orders.ask(_site(), job.id, folder, wanted)
    else:
        drawn = (_gallery().picture(folder, view, query.size, query.background, look) for view in dict.fromkeys(angles))
        content = views.zip_of(zip(dict.fromkeys(angles), drawn, strict=True), look)
    return _waiting() if content is None else _download(content, "application/zip", "snapshots.zip")


@api.get("/jobs/<secret>/faces/<int:number>/snapshot.jpg")
@described(
    Description(
        answer="image/jpeg",
        tag="Pictures",
        query=SnapshotQuery,
        waiting=WaitingAnswer,
        problems=(404, 410, 422, 503),
    )
)
def snapshot(secret: str, number: int) -> Response:
    """Download a picture of a face from one side. For a relit one, a worker takes the light off first."""
    job = lookup.find(_site(), secret)
    folder = lookup.face_folder(job, number)
    query = _checked(SnapshotQuery, request.args.to_dict())
    view, look = _views(query)[0], query.dress()
    if not orders.bare(_site(), job.id, folder, look):
        return _waiting()
    content = _gallery().picture(folder, view, query.size, query.background, look)
    return _download(content, "image/jpeg", views.file_name(view, look))


@api.get("/jobs/<secret>/faces/<int:number>/turntable.<any(mp4,gif):kind>")
@described(
    Description(
        answer="video/mp4", tag="Pictures", query=LookQuery, waiting=WaitingAnswer, problems=(404, 410, 422, 503)
    )
)
def turntable(secret: str, number: int, kind: str) -> Response:
    """Download a video of the face turning once round. A worker makes it on the first request."""
    job = lookup.find(_site(), secret)
    folder = lookup.face_folder(job, number)
    look = _checked(LookQuery, request.args.to_dict()).dress()
    wanted = Wanted(kind, look=look.name, light=look.light)
    there = orders.bare(_site(), job.id, folder, look)
    content = orders.ask(_site(), job.id, folder, wanted) if there else None
    if content is None:
        return _waiting()
    return _download(content, "video/mp4" if kind == "mp4" else "image/gif", wanted.file)


@api.get("/jobs/<secret>/faces/<int:number>/face_material.<any(glb,'web.glb'):form>")
@described(Description(answer="model/gltf-binary", tag="Files", waiting=WaitingAnswer))
def material(secret: str, number: int, form: str) -> Response:
    """The face without the light of its photo, with materials that any light falls on; made when first asked for."""
    job, name = lookup.find(_site(), secret), f"face_material.{form}"
    kind = next(kind for kind, file in orders.MATERIALS.items() if file == name)
    content = orders.ask(_site(), job.id, lookup.face_folder(job, number), Wanted(kind))
    return _waiting() if content is None else _download(content, "model/gltf-binary", name)


@api.get("/openapi.json")
def openapi() -> dict:
    """Get the OpenAPI document."""
    return openapi_document(current_app, __version__)


def _site() -> Site:
    return current_app.extensions["site"]


def _gallery() -> Gallery:
    return current_app.extensions["gallery"]


def _checked(model: type[Model], values: dict[str, str]) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise Refused(str(first["loc"][0]), f"{first['loc'][0]}: {first['msg']}") from error


def _views(query: SnapshotQuery) -> list[tuple[float, float]]:
    try:
        views.background_color(query.background)
        return query.views()
    except ValueError as error:
        raise Refused(str(error).partition(":")[0], str(error)) from error


def _require_files() -> None:
    """Raises: Refused if photos are not sent as files."""
    if request.is_json or "url" in request.form or "photo" in request.form:
        raise Refused("photo", "Send the photo itself, as a file: this site fetches nothing from other addresses.")


def _file(name: str, after_start: bytes = b"") -> Response:
    """A stored file, with more after its first two bytes if wished."""
    try:
        stream, size = _site().storage.open(name)
    except FileNotFoundError as error:
        raise JobUnknown("There is no such file.") from error
    if after_start:
        with stream:
            stream = io.BytesIO(stream.read(2) + after_start + stream.read())
        size += len(after_start)
    kind = KINDS.get(name.rpartition(".")[2]) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return stored_file(stream, size, name, kind)


def _turn(folder: str) -> int:
    """Degrees clockwise by which the photo of a face was turned."""
    try:
        return json.loads(_site().storage.read(f"{folder}/face.json"))["photo"].get("turn", 0)
    except FileNotFoundError as error:
        raise JobUnknown("There is no such file.") from error


def _waiting() -> Response:
    headers = {"Retry-After": str(RENDERING_SECONDS)}
    return Response(WaitingAnswer().model_dump_json(), 202, headers, content_type="application/json")


def _download(content: bytes, kind: str, name: str, disposition: str = "inline") -> Response:
    headers = {"Content-Disposition": f'{disposition}; filename="{name}"'}
    return Response(content, mimetype=kind, headers=headers)
