"""What all pages share: the language, the browser session, and the words that templates know."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, current_app, g, request, session
from werkzeug.exceptions import BadRequest

from serving.ids import new_secret
from serving.language import LANGUAGES, best_language, translations
from serving.pictures.gallery import Gallery
from serving.site import Site

pages = Blueprint("pages", __name__)


def site() -> Site:
    """The site that this process serves."""
    return current_app.extensions["site"]


def gallery() -> Gallery:
    """What draws pictures for this process."""
    return current_app.extensions["gallery"]


def browser_session() -> str:
    """The random name of this browser, by which it finds its own faces again; made when it is first needed."""
    if "browser" not in session:
        session["browser"] = new_secret()
        session.permanent = True
    return session["browser"]


def language() -> str:
    """The language of this request: the one that was chosen, or else the best one that the browser asks for."""
    if "language" not in g:
        g.language = session.get("language") or best_language(request.accept_languages.values())
    return g.language


def translate(text: str, **values: Any) -> str:
    """A text in the language of this request, with `%(name)s` filled in."""
    translated = translations(language()).gettext(text)
    return translated % values if values else translated


@pages.before_app_request
def choose_language() -> None:
    """Keep the language of the links at the foot of each page."""
    chosen = request.args.get("language")
    if chosen in LANGUAGES and request.blueprint != "api":
        session["language"] = chosen


def own_forms_only(view: Callable[..., Any]) -> Callable[..., Any]:
    """Take only forms of our own pages: browsers say where a form comes from, so that no cookie has to remember it."""

    @wraps(view)
    def guarded(**arguments: Any) -> Any:
        if request.method == "POST" and _comes_from_elsewhere():
            raise BadRequest
        return view(**arguments)

    return guarded


def _comes_from_elsewhere() -> bool:
    said, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin", "")
    if said is not None:
        return said not in ("same-origin", "none")
    return origin not in ("", "null") and urlsplit(origin).netloc != request.host


@pages.app_context_processor
def words() -> dict[str, Any]:
    """What every template knows."""
    return {
        "_": translate,
        "language": language(),
        "languages": LANGUAGES,
        "page_query": _page_query,
        "live": site().settings.live,
    }


@pages.after_request
def say_language(response: Response) -> Response:
    """Pages differ by language and person, so nobody between may keep them."""
    response.content_language.add(language())
    response.vary.update(("Accept-Language", "Cookie"))
    response.cache_control.private = True
    response.cache_control.no_cache = True
    return response


def _page_query(code: str) -> str:
    """The query of this page in another language."""
    return urlencode({**request.args.to_dict(), "language": code})
