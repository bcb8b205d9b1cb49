"""The OpenAPI 3.1 document of the interface, made from the routes and from the models that they use."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serving.api.models import DOWNLOADS, Problem

View = TypeVar("View", bound=Callable[..., Any])

_PATH_PARAMETERS: dict[str, dict[str, Any]] = {
    "secret": {"description": "The id of the job.", "schema": {"type": "string", "examples": ["Zk3v…"]}},
    "number": {"description": "Which face of the job, from 0.", "schema": {"type": "integer", "minimum": 0}},
    "name": {
        "description": "Which file.",
        "schema": {"type": "string", "enum": [*DOWNLOADS]},
    },
    "form": {
        "description": "For programs, or for the viewer.",
        "schema": {"type": "string", "enum": ["glb", "web.glb"]},
    },
    "kind": {"description": "Video or animation.", "schema": {"type": "string", "enum": ["mp4", "gif"]}},
}
_PROBLEMS = {
    400: "Not understood.",
    401: "An API key is needed.",
    404: "There is nothing here.",
    410: "Deleted or expired.",
    413: "Too large.",
    422: "A field is invalid.",
    429: "Too many requests.",
    503: "Busy, or no worker is running.",
    507: "No room for files.",
}
_TAGS = {
    "Jobs": "Send photos, follow their progress, and delete everything.",
    "Files": "The files of a face.",
    "Pictures": "Pictures and videos of a face from any side.",
}
_ATTRIBUTE = "described"


@dataclass(frozen=True)
class Description:
    """What the document says of a route beside its path; the summary is the view's docstring."""

    status: int = 200
    answer: type[BaseModel] | str = "application/octet-stream"  # a model, or a media type
    form: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    headers: type[BaseModel] | None = None
    tag: str = "Jobs"
    photos: bool = False  # whether the form has photos
    waiting: type[BaseModel] | None = None  # the answer 202 of what is still to be made
    problems: Sequence[int] = (404, 410)


def described(description: Description) -> Callable[[View], View]:
    """Describe a view of the interface."""

    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, description)
        return view

    return mark


def openapi_document(app: Flask, version: str) -> dict[str, Any]:
    """The document of all described views of an app."""
    routes = [
        (rule, view, getattr(view, _ATTRIBUTE))
        for rule in app.url_map.iter_rules()
        if hasattr(view := app.view_functions[rule.endpoint], _ATTRIBUTE)
    ]
    models = {Problem, *(model for *_, description in routes for model in _models(description))}
    keys, definitions = models_json_schema(
        [(model, "serialization") for model in sorted(models, key=lambda each: each.__name__)],
        by_alias=True,
        ref_template="#/components/schemas/{model}",
    )
    schemas = {model: keys[model, "serialization"] for model in models}
    paths: dict[str, Any] = {}
    for rule, view, description in routes:
        path = re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            operation = _operation(view, rule.endpoint, rule.arguments, description, schemas)
            paths.setdefault(path, {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "deep3d",
            "version": version,
            "summary": "One photo in, one textured 3D face out.",
            "description": "Whoever holds the id of a job may do everything with it: keep it like a password.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This site."}],
        "tags": [{"name": name, "description": about} for name, about in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key for programs."}},
        },
        "security": [{}, {"key": []}],
    }


def _models(description: Description) -> list[type[BaseModel]]:
    every = (description.answer, description.waiting)  # the others are written out where they are used
    return [each for each in every if isinstance(each, type)]


def _operation(
    view: Callable[..., Any],
    endpoint: str,
    arguments: set[str],
    description: Description,
    schemas: dict[type[BaseModel], Any],
) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, **_PATH_PARAMETERS[name]} for name in sorted(arguments)
    ]
    for place, model in (("query", description.query), ("header", description.headers)):
        for name, field in (model.model_json_schema()["properties"] if model else {}).items():
            about = field.pop("description", "")
            parameters.append({"name": name, "in": place, "description": about, "schema": field})
    answer: dict[str, Any] = {"description": "As asked for."}
    if description.status != 204:
        kind = description.answer if isinstance(description.answer, str) else "application/json"
        schema = {} if isinstance(description.answer, str) else schemas[description.answer]
        answer["content"] = {kind: {"schema": schema}}
    answers = {str(description.status): answer}
    if description.waiting:
        content = {"application/json": {"schema": schemas[description.waiting]}}
        answers["202"] = {"description": "Not ready yet: ask again after Retry-After seconds.", "content": content}
    problem = {"application/problem+json": {"schema": schemas[Problem]}}
    problems = {str(code): {"description": _PROBLEMS[code], "content": problem} for code in description.problems}
    operation: dict[str, Any] = {
        "operationId": endpoint.rpartition(".")[2],
        "tags": [description.tag],
        "summary": (view.__doc__ or "").strip().splitlines()[0],
        "parameters": parameters,
        "responses": {**answers, **problems},
    }
    if description.form:
        operation["requestBody"] = {
            "required": True,
            "content": {"multipart/form-data": {"schema": _form(description)}},
        }
    return operation


def _form(description: Description) -> dict[str, Any]:
    assert description.form is not None
    schema = description.form.model_json_schema()
    if description.photos:
        photos = {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
        schema["properties"] = {"photo": photos, **schema["properties"]}
        schema["required"] = ["photo"]
    return schema
