"""Pages of the documentation site that come from elsewhere in the repository: a hook of MkDocs.

README, model cards and notebooks lie where people look for them in the repository. The reference is made from the
public names and from the routes of the site, so that it cannot lag behind.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import deep3d
from serving.api.openapi import openapi_document
from serving.app import create_app
from serving.settings import Settings

REPOSITORY = Path(__file__).parents[1]
COPIES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "bfm/README.md": "models/face_model.md",
    "checkpoints/README.md": "models/weights.md",
}
_LINK = re.compile(r"(!?\[[^\]]*\])\(([^)#:\s]+)(#[^)\s]*)?\)")
_TYPES = {"integer": "integer", "number": "number", "string": "text", "boolean": "yes or no", "array": "list"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for source, page in COPIES.items():
        files.append(File.generated(config, page, content=copied(source, page)))
    for notebook in sorted((REPOSITORY / "notebooks").glob("*.ipynb")):
        page = f"tutorials/{notebook.name}"
        files.append(File.generated(config, page, abs_src_path=str(notebook)))
    files.append(File.generated(config, "reference/python.md", content=python_reference()))
    files.append(File.generated(config, "reference/http.md", content=http_reference()))
    return files


def copied(source: str, page: str) -> str:
    """A file of the repository with links that hold on the site."""
    text = (REPOSITORY / source).read_text(encoding="utf-8")
    return _LINK.sub(lambda link: _moved(link, source, page), text)


def python_reference() -> str:
    """One entry for each public name."""
    entries = "\n\n".join(f"::: deep3d.{name}" for name in deep3d.__all__)
    return f"# Python\n\n`from deep3d import ...`: these names, and the command `deep3d`.\n\n{entries}\n"


def http_reference() -> str:
    """The routes of the site's interface, from its OpenAPI document."""
    with TemporaryDirectory() as folder:
        document = openapi_document(create_app(Settings.from_env({"DEEP3D_DATA_DIR": folder})), "1")
    routes = [
        _route(method.upper(), path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    about = (
        "The site describes its interface itself, as OpenAPI 3.1 at `/api/v1/openapi.json`; this page is made from it."
    )
    return "\n\n".join(["# HTTP API", about, *routes]) + "\n"


def _route(method: str, path: str, operation: dict[str, Any]) -> str:
    lines = [f"## {method} {path}", operation.get("summary", ""), operation.get("description", "")]
    parameters = [
        f"| `{each['name']}` | {each['in']} | {_TYPES.get(each.get('schema', {}).get('type'), 'text')} |"
        for each in operation.get("parameters", [])
    ]
    if parameters:
        lines.append("\n".join(["| parameter | in | type |", "|---|---|---|", *parameters]))
    answers = [f"| {code} | {answer['description']} |" for code, answer in operation["responses"].items()]
    lines.append("\n".join(["| answer | meaning |", "|---|---|", *answers]))
    return "\n\n".join(line for line in lines if line)


def _moved(link: re.Match[str], source: str, page: str) -> str:
    """A relative link of a file of the repository, as its page on the site needs it."""
    label, target, anchor = link[1], link[2], link[3] or ""
    path = ((REPOSITORY / source).parent / target).resolve()
    if not path.is_relative_to(REPOSITORY):
        return link[0]
    inside = path.relative_to(REPOSITORY).as_posix()
    up = "../" * page.count("/")
    if inside in COPIES:
        return f"{label}({up}{COPIES[inside]}{anchor})"
    if inside.startswith("docs/") and path.is_file():
        return f"{label}({up}{inside.removeprefix('docs/')}{anchor})"
    return label.strip("![]") if label.startswith("!") else f"`{inside}`"
