"""The page of a finished face: the viewer, its controls, and what can be taken away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from babel.dates import format_date
from flask import Response, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from serving.api.models import FILES, HAIR_FILES, VIEWER_FILES, FaceAnswer, JobAnswer
from serving.jobs import naming, reasons
from serving.jobs.lookup import JobState
from serving.language import N_
from serving.pages import advice
from serving.pages.blueprint import language, pages, site, translate
from serving.pages.expressions import GROUPS
from serving.pages.model_files import expressions_address, lights_address
from serving.store.tables import Upload

VIEWS = (
    (N_("Front"), 0, 0),
    (N_("Three-quarter left"), -40, 0),
    (N_("Three-quarter right"), 40, 0),
    (N_("Left profile"), -90, 0),
    (N_("Right profile"), 90, 0),
    (N_("Above"), 0, -35),
    (N_("Below"), 0, 35),
)
"""Preset angles: name, yaw, pitch; how the head is turned, in degrees."""

LOOKS = (
    ("texture", N_("Photo")),
    ("relit", N_("Relit")),
    ("clay", N_("Clay")),
    ("wireframe", N_("Wireframe")),
    ("albedo", N_("Skin")),
    ("normals", N_("Normals")),
)

PICTURE_LOOKS = (
    ("photo", N_("Photo")),
    ("relit", N_("Relit")),
    ("clay", N_("Clay")),
    ("skin", N_("Skin")),
    ("normals", N_("Normals")),
)
"""Looks of pictures at set angles and of turntables: the names of the interface, and ours."""

SURROUNDINGS = (
    ("studio", N_("Studio")),
    ("overcast", N_("Overcast sky")),
    ("window", N_("Window")),
    ("sunset", N_("Sunset")),
    ("night", N_("Night")),
)
"""The preset lights of the library for the look Relit, and our names for them."""

MOODS = (
    ("smile", N_("Smile")),
    ("surprise", N_("Surprise")),
    ("wink", N_("Wink")),
    ("kiss", N_("Kiss")),
    ("angry", N_("Angry")),
    ("talk", N_("Talk")),
)
"""Expressions for one press each: the names that the viewer knows, and ours."""

FIELD_OF_VIEW = 25  # degrees, as a portrait lens sees

_FILES = (
    ("glb", N_("Textured mesh with expressions, for 3D programs and browsers")),
    ("obj", N_("Mesh in millimetres")),
    ("mtl", N_("Material of the mesh")),
    ("texture", N_("The photo, unwrapped")),
    ("hair_obj", N_("Mesh of the hair, in the same place")),
    ("hair_mtl", N_("Material of the hair")),
    ("hair_texture", N_("Colours of the hair, and how dense it is")),
    ("albedo", N_("The skin without the photo’s light")),
    ("ply", N_("Mesh with vertex colours")),
    ("json", N_("Pose, landmarks, coefficients, camera")),
    ("overlay", N_("Photo, mesh, and three views")),
)


@pages.post("/jobs/<secret>/rename")
def rename(secret: str) -> Response:
    """Call a face by another name: that of its photo."""
    number = request.form.get("face", 1, type=int)
    naming.rename(site(), secret, number - 1, request.form.get("name", ""))
    return make_response(redirect(url_for("pages.job", secret=secret, face=number if number > 1 else None), 303))


def result_page(secret: str, state: JobState, answer: JobAnswer) -> str:
    """The page of a finished job: the face in 3D, and all that can be taken away."""
    number = request.args.get("face", 1, type=int)
    if not 1 <= number <= len(answer.faces):
        raise NotFound
    face = answer.faces[number - 1]
    links = face.links.model_dump(by_alias=True)
    uploads = state.job.uploads
    left_out = [reasons.of_photo(upload, translate) for upload in uploads]
    return render_template(
        "result.html",
        secret=secret,
        face={
            "number": number,
            "name": naming.title(uploads[face.photo].name),
            "links": links,
            "haired": "hair_obj" in links,
            "bytes": _size(f"{state.job.faces[number - 1].folder}/{VIEWER_FILES['web']}"),
            "quality": advice.quality(face.expected_error, translate),
            "advice": advice.advise(face.warnings, translate),
        },
        left_out=[text for text in left_out if text],
        faces=[_thumbnail(secret, n, each, uploads) for n, each in enumerate(answer.faces, 1)],
        **controls(),
        picture_looks=PICTURE_LOOKS,
        lights_file=lights_address(),
        files=[((FILES | HAIR_FILES)[key], what, links[key]) for key, what in _FILES if key in links],
        expires=format_date(datetime.fromtimestamp(state.job.expires_at), "long", locale=language()),
    )


def controls() -> dict[str, object]:
    """What the viewer's controls are made of."""
    return {
        "expressions_file": expressions_address(),
        "views": VIEWS,
        "looks": LOOKS,
        "surroundings": SURROUNDINGS,
        "moods": MOODS,
        "field_of_view": FIELD_OF_VIEW,
        "expressions": GROUPS,
    }


def _thumbnail(secret: str, number: int, face: FaceAnswer, uploads: Sequence[Upload]) -> dict[str, object]:
    page = url_for("pages.job", secret=secret, face=number)
    name = naming.title(uploads[face.photo].name)
    return {"number": number, "page": page, "picture": face.links.preview, "name": name}


def _size(name: str) -> int:
    """Bytes of a stored file, 0 if it is not there."""
    try:
        stream, size = site().storage.open(name)
    except FileNotFoundError:
        return 0
    stream.close()
    return size
