"""The page of the HTTP interface: the OpenAPI document told to people, and programs that can be copied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app, render_template

from serving import __version__
from serving.api.openapi import openapi_document
from serving.language import N_
from serving.pages.blueprint import pages, site

SAMPLES = (
    ("shell.sh", N_("Shell")),
    ("python.py", N_("Python")),
    ("asynchronous.py", N_("Python, many at once")),
    ("javascript.mjs", N_("JavaScript")),
)
WEBHOOK_SAMPLE = "webhook.py"
_FOLDER = Path(__file__).with_name("samples")
_PLACE = "SITE"  # where samples have the address of the site


@dataclass(frozen=True)
class Operation:
    """One thing that the interface does."""

    method: str
    path: str
    summary: str
    parameters: list[dict[str, Any]]
    form: dict[str, Any]  # properties of the multipart form by name
    answers: list[tuple[str, str, str]]  # status, what it means, schema or media type


@pages.get("/api")
def interface() -> str:
    """What programs can ask of this site."""
    document = openapi_document(current_app, __version__)
    operations: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            operations[described["tags"][0]].append(_operation(method, path, described))
    return render_template(
        "interface.html",
        groups=[(tag["name"], tag["description"], operations[tag["name"]]) for tag in document["tags"]],
        schemas=[(name, schema) for name, schema in sorted(document["components"]["schemas"].items())],
        kind=_kind,
        samples=[(label, sample(name)) for name, label in SAMPLES],
        webhook=sample(WEBHOOK_SAMPLE),
    )


def sample(name: str) -> str:
    """A program that talks to this site."""
    return (_FOLDER / name).read_text(encoding="utf-8").replace(_PLACE, site().settings.base_url)


def _operation(method: str, path: str, described: dict[str, Any]) -> Operation:
    content = described.get("requestBody", {}).get("content", {}).get("multipart/form-data", {})
    answers = [(status, answer["description"], _content(answer)) for status, answer in described["responses"].items()]
    return Operation(
        method.upper(),
        path,
        described["summary"],
        described["parameters"],
        content.get("schema", {}).get("properties", {}),
        answers,
    )


def _content(answer: dict[str, Any]) -> str:
    for media_type, content in answer.get("content", {}).items():
        reference = content.get("schema", {}).get("$ref", "")
        return reference.rpartition("/")[2] or media_type
    return ""


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    if "const" in schema:
        return f'"{schema["const"]}"'
    if schema.get("type") == "array":
        return f"[{_kind(schema['items'])}]"
    return schema.get("format") or schema.get("type", "any")
