"""The routes under /api/v1. Whoever holds the id of a job may do everything with it; nothing here looks at cookies."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator
from typing import TypeVar

from flask import Blueprint, Response, current_app, request, stream_with_context, url_for
from pydantic import BaseModel, ValidationError

from serving import __version__
from serving.api.events import job_events
from serving.api.keys import require_key
from serving.api.models import (
    FILES,
    JobAnswer,
    JobForm,
    SnapshotQuery,
    SubmittedAnswer,
    SubmittedLinks,
    WaitingAnswer,
    job_answer,
)
from serving.api.openapi import Description, described, openapi_document
from serving.api.problems import problem
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
from serving.site import Site
from serving.store.tables import Status

RENDERING_SECONDS = 2  # after which it is worth while to ask again
CHUNK = 1 << 18  # bytes of a file that are sent at a time

api = Blueprint("api", __name__, url_prefix="/api/v1")
api.register_error_handler(Exception, problem)

Model = TypeVar("Model", bound=BaseModel)


@api.post("/jobs")
@described(
    Description(
        status=202,
        answer=SubmittedAnswer,
        form=JobForm,
        photos=True,
        problems=(400, 401, 413, 422, 429, 503, 507),
    )
)
def submit() -> tuple[dict, int, dict[str, str]]:
    """Submit photos."""
    site = _site()
    require_key(site)
    require_room(site)
    form = _checked(JobForm, request.form.to_dict())
    photos = clean_photos(
        [(file.filename or "", file.stream) for file in request.files.getlist("photo")],
        site.settings,
        current_app.extensions["reader"],
    )
    wanted = [form.language] if form.language in LANGUAGES else list(request.accept_languages.values())
    job = submission.submit(
        site,
        Submission(
            photos,
            faces_wanted=form.faces,
            same_person=form.same_person,
            email=clean_email(form.email),
            webhook=clean_webhook(form.webhook, site.settings),
            language=best_language(wanted),
        ),
    )
    secret = job.secret
    links = SubmittedLinks(
        self=url_for("api.look", secret=secret),
        page=url_for("pages.job", secret=secret),
        events=url_for("api.events", secret=secret),
    )
    answer = SubmittedAnswer(id=secret, status=Status.SUBMITTED, links=links)
    return answer.model_dump(by_alias=True), 202, {"Location": links.self}


@api.get("/jobs/<secret>")
@described(Description(answer=JobAnswer))
def look(secret: str) -> dict:
    """Look at a job: how far it is, and where its files are."""
    state = lookup.state(_site(), secret)
    if state.status is Status.DELETED:
        lookup.find(_site(), secret)  # says that it is gone
    return job_answer(secret, state).model_dump(by_alias=True)


@api.delete("/jobs/<secret>")
@described(Description(status=204))
def delete(secret: str) -> tuple[str, int]:
    """Delete a job with all its files, at once."""
    erasure.delete(_site(), secret)
    return "", 204


@api.get("/jobs/<secret>/events")
@described(Description(answer="text/event-stream", problems=(404, 410, 503)))
def events(secret: str) -> Response:
    """Follow a job: a server-sent event with the whole job at each change, until it is over."""
    lookup.find(_site(), secret)
    stream = job_events(_site(), secret)
    return Response(
        stream_with_context(stream),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@api.get("/jobs/<secret>/faces/<int:number>/<any({files}):name>".format(files=",".join(FILES.values())))
@described(Description())
def face_file(secret: str, number: int, name: str) -> Response:
    """Download a file of a face."""
    return _file(f"{lookup.face_folder(lookup.find(_site(), secret), number)}/{name}")


@api.get("/jobs/<secret>/faces/<int:number>/photo.jpg")
@described(Description(answer="image/jpeg"))
def photo(secret: str, number: int) -> Response:
    """Download the photo of a face, as it was kept; turned where it lay on a side."""
    job = lookup.find(_site(), secret)
    turn = _turn(lookup.face_folder(job, number))
    return _file(job.uploads[job.faces[number].photo].path, after_start=exif_segment(turn))


@api.get("/jobs/<secret>/faces/<int:number>/snapshots.zip")
@described(
    Description(answer="application/zip", query=SnapshotQuery, waiting=WaitingAnswer, problems=(404, 410, 422, 503))
)
def snapshots_zip(secret: str, number: int) -> Response:
    """Pictures of a face from several sides, one JPG for each angle; many large ones are made by a worker."""
    job = lookup.find(_site(), secret)
    folder = lookup.face_folder(job, number)
    query = _checked(SnapshotQuery, request.args.to_dict())
    angles = _views(query)
    if views.takes_long(angles, query.size):
        wanted = Wanted("zip", angles, query.size, query.background)
        content = orders.ask(_site(), job.id, folder, wanted)
    else:
        drawn = (_gallery().picture(folder, view, query.size, query.background) for view in dict.fromkeys(angles))
        content = views.zip_of(zip(dict.fromkeys(angles), drawn, strict=True))
    return _waiting() if content is None else _download(content, "application/zip", "snapshots.zip")


@api.get("/jobs/<secret>/faces/<int:number>/snapshot.jpg")
@described(Description(answer="image/jpeg", query=SnapshotQuery, problems=(404, 410, 422, 503)))
def snapshot(secret: str, number: int) -> Response:
    """A picture of a face from one side."""
    folder = lookup.face_folder(lookup.find(_site(), secret), number)
    query = _checked(SnapshotQuery, request.args.to_dict())
    view = _views(query)[0]
    content = _gallery().picture(folder, view, query.size, query.background)
    return _download(content, "image/jpeg", views.file_name(view))


@api.get("/jobs/<secret>/faces/<int:number>/turntable.<any(mp4,gif):kind>")
@described(Description(answer="video/mp4", waiting=WaitingAnswer))
def turntable(secret: str, number: int, kind: str) -> Response:
    """The face turning once round, as a film, which a worker makes when it is first asked for."""
    job = lookup.find(_site(), secret)
    content = orders.ask(_site(), job.id, lookup.face_folder(job, number), Wanted(kind))
    if content is None:
        return _waiting()
    return _download(content, "video/mp4" if kind == "mp4" else "image/gif", f"turntable.{kind}")


@api.get("/openapi.json")
def openapi() -> dict:
    """The OpenAPI document of the interface."""
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


def _file(name: str, after_start: bytes = b"") -> Response:
    """A stored file, with more after its first two bytes if wished."""
    try:
        stream, size = _site().storage.open(name)
    except FileNotFoundError as error:
        raise JobUnknown("There is no such file.") from error

    def chunks() -> Iterator[bytes]:
        with stream:
            yield stream.read(2) + after_start
            while chunk := stream.read(CHUNK):
                yield chunk

    kind = "model/gltf-binary" if name.endswith(".glb") else mimetypes.guess_type(name)[0]
    return Response(
        chunks(),
        mimetype=kind or "application/octet-stream",
        headers={"Content-Length": str(size + len(after_start))},
    )


def _turn(folder: str) -> int:
    """Degrees clockwise by which the photo of a face was turned."""
    try:
        return json.loads(_site().storage.read(f"{folder}/face.json"))["photo"].get("turn", 0)
    except FileNotFoundError as error:
        raise JobUnknown("There is no such file.") from error


def _waiting() -> Response:
    headers = {"Retry-After": str(RENDERING_SECONDS)}
    return Response(WaitingAnswer().model_dump_json(), 202, headers, content_type="application/json")


def _download(content: bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(content, mimetype=kind, headers=headers)
