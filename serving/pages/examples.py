"""Faces of nobody, and of an astronaut: anyone may look at them, and send their photos as if they were one's own."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

from flask import Response, current_app, make_response, redirect, render_template, url_for
from werkzeug.exceptions import NotFound

from serving.jobs import submission
from serving.jobs.submission import Submission
from serving.jobs.uploads import clean_photos
from serving.jobs.waiting import require_room
from serving.language import N_
from serving.pages import advice
from serving.pages.blueprint import browser_session, language, own_forms_only, pages, site, translate
from serving.pages.result import controls

FOLDER = Path(__file__).parents[1] / "static" / "examples"


@dataclass(frozen=True)
class Example:
    """One of them; its files are in static/examples."""

    key: str
    name: str
    about: str

    def link(self, file: str) -> str:
        """The address of one of its files."""
        return url_for("static", filename=f"examples/{self.key}/{file}")


EXAMPLES = {
    each.key: each
    for each in (
        Example("mira", N_("Mira"), N_("A made-up person")),
        Example("jonas", N_("Jonas"), N_("A made-up person")),
        Example("tomas", N_("Tomas"), N_("A made-up person")),
        Example("astronaut", N_("Eileen Collins"), N_("Photo: NASA, public domain")),
    )
}


@pages.get("/examples/<key>")
def example(key: str) -> str:
    """A face in the viewer."""
    chosen = _chosen(key)
    said = json.loads((FOLDER / key / "face.json").read_text(encoding="utf-8"))
    files = {"web": "face.web.glb", "albedo": "albedo.webp", "json": "face.json", "photo": "photo.jpg"}
    links = {**files, "preview": "preview.jpg", "overlay": "overlay.jpg"}
    return render_template(
        "result.html",
        secret=None,
        face={
            "number": 1,
            "name": translate(chosen.name),
            "links": SimpleNamespace(**{name: chosen.link(file) for name, file in links.items()}),
            "haired": True,
            "bytes": (FOLDER / key / files["web"]).stat().st_size,
            "quality": advice.quality((said["confidence"] or {}).get("landmark_error_percent"), translate),
            "advice": [],
        },
        example=chosen,
        left_out=[],
        faces=[],
        **controls(),
    )


@pages.post("/examples/<key>")
@own_forms_only
def try_example(key: str) -> Response:
    """Make a face of the photo of an example; nobody's consent is needed."""
    chosen = _chosen(key)
    require_room(site())
    with (FOLDER / key / "photo.jpg").open("rb") as file:
        photos = clean_photos([(f"{key}.jpg", file)], site().settings, current_app.extensions["reader"])
    named = [replace(photo, name=translate(chosen.name)) for photo in photos]
    job = submission.submit(site(), Submission(named, session=browser_session(), language=language()))
    return make_response(redirect(url_for("pages.job", secret=job.secret), 303))


def _chosen(key: str) -> Example:
    if key not in EXAMPLES:
        raise NotFound
    return EXAMPLES[key]
