"""The commands that the site adds to `deep3d`: serve, submit, loadtest, api-key."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from serving.errors import ServingError
from serving.loadtest.commands import SCENARIOS, choose, tell

FILES = ("glb", "obj", "mtl", "texture", "ply", "json", "overlay", "albedo")

Result = TypeVar("Result")

ServerOption = Annotated[str, typer.Option(help="Address of the site.")]


def add_commands(app: typer.Typer) -> None:
    """Add them; the entry point of the group `deep3d.commands`."""
    for command in (serve, submit, api_key):
        app.command()(_told(command))
    scenarios = typer.Typer(callback=choose, result_callback=tell, no_args_is_help=True, add_completion=False)
    for scenario in SCENARIOS:
        scenarios.command()(_told(scenario))
    app.add_typer(scenarios, name="loadtest")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8000,
) -> None:
    """Serve the site: pages and interface in this process, one worker beside it. docs/site.md lists the settings."""
    from serving.serve import serve

    serve(host, port, lambda address: _say(f"The site is at {address} (Ctrl-C ends it)."))


def submit(
    photos: Annotated[list[Path], typer.Argument(help="Photos, which become one job.")],
    server: ServerOption = "http://127.0.0.1:8000",
    email: Annotated[str, typer.Option(help="Where to say that it is done.")] = "",
    faces: Annotated[str, typer.Option(help="largest or all.")] = "largest",
    same_person: Annotated[bool, typer.Option("--same-person", help="All photos show one person: one face.")] = False,
    key: Annotated[str, typer.Option(envvar="DEEP3D_KEY", help="API key.")] = "",
    out: Annotated[Path | None, typer.Option(help="Wait, and download the files into this folder.")] = None,
) -> None:
    """Send photos to a site; says where to look at the face."""
    from serving.client import Client

    client = Client(server, key)
    job = client.submit(photos, email=email, faces=faces, same_person=str(same_person).lower())
    _say(client.server + job["links"]["page"])
    if out is None:
        return
    state = client.wait(job)
    for photo in state["photos"]:
        if photo["error"]:
            _say(f"deep3d: {photo['error']}")
    for number, face in enumerate(state["faces"], 1):
        folder = out / f"face-{number}"
        client.download(face["links"], FILES, folder)
        _say(f"{folder}: written")
    raise typer.Exit(0 if state["status"] == "done" else 1)


def api_key(name: Annotated[str, typer.Argument(help="Whose key it is.")]) -> None:
    """Make a key for programs, and show it this once."""
    from serving.api.keys import make_key
    from serving.settings import Settings
    from serving.site import Site

    typer.echo(make_key(Site.open(Settings.from_env(os.environ)), name))


def _told(command: Callable[..., Result]) -> Callable[..., Result]:
    """A command whose errors for people become one line and exit code 2."""

    @wraps(command)
    def run(**arguments: Any) -> Result:
        try:
            return command(**arguments)
        except ServingError as error:
            _say(f"deep3d: {error}")
            raise typer.Exit(2) from None

    return run


def _say(line: str) -> None:
    typer.echo(line, err=True)
