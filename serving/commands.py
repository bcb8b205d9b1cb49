"""The commands that the site adds to `deep3d`: serve, submit, loadtest, api-key, doctor."""

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
HAIR_FILES = ("hair_obj", "hair_mtl", "hair_texture")  # of faces that have hair

_EXTRA_OF = {"aiosmtpd": "serving,dev", "playwright": "serving,dev"}
"""Packages that only load tests need, beside those of the extra `serving`."""

Result = TypeVar("Result")

ServerOption = Annotated[str, typer.Option(help="Address of the site.")]


def add_commands(app: typer.Typer) -> None:
    """Add them; the entry point of the group `deep3d.commands`."""
    for command in (serve, submit, api_key, doctor, backup, restore_backup, check_store):
        app.command(_name(command))(_told(command))
    scenarios = typer.Typer(callback=choose, result_callback=tell, no_args_is_help=True, add_completion=False)
    for scenario in SCENARIOS:
        scenarios.command(_name(scenario))(_told(scenario))
    app.add_typer(scenarios, name="loadtest")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Run the site: pages and API in this process, one worker beside it. docs/site.md lists the settings."""
    from serving.serve import serve

    serve(host, port, lambda address: _say(f"The site is at {address} (Ctrl-C ends it)."))


def submit(
    photos: Annotated[list[str], typer.Argument(help="Photos to send as one job.", metavar="PHOTO...")],
    server: ServerOption = "http://127.0.0.1:8000",
    email: Annotated[str, typer.Option(help="Email address to notify when the job is done.")] = "",
    faces: Annotated[str, typer.Option(help="largest or all.")] = "largest",
    same_person: Annotated[
        bool, typer.Option("--same-person", help="All photos show one person: reconstruct one face.")
    ] = False,
    quality: Annotated[str, typer.Option(help="fast, normal or best.")] = "normal",
    key: Annotated[str, typer.Option(envvar="DEEP3D_KEY", help="API key.")] = "",
    out: Annotated[Path | None, typer.Option(help="Wait, and download the files into this folder.")] = None,
) -> None:
    """Send photos to a site and print the link to the result.

    With --out the exit code is 0 if every photo gave a face, and 1 if some failed.
    """
    from serving.client import Client

    client = Client(server, key)
    files = [_file(photo) for photo in photos]
    job = client.submit(files, email=email, faces=faces, same_person=str(same_person).lower(), quality=quality)
    _say(client.server + job["links"]["page"])
    if out is None:
        return
    state = client.wait(job)
    for photo in state["photos"]:
        if told := photo["error"] or photo.get("warning"):
            _say(f"deep3d: {told}")
    for number, face in enumerate(state["faces"], 1):
        folder = out / f"face-{number}"
        hair = [name for name in HAIR_FILES if name in face["links"]]
        client.download(face["links"], [*FILES, *hair], folder)
        _say(f"{folder}: written")
    failed = any(photo["error"] for photo in state["photos"])
    raise typer.Exit(0 if state["status"] == "done" and not failed else 1)


def api_key(name: Annotated[str, typer.Argument(help="Name of the key's owner.")]) -> None:
    """Create an API key and show it, once."""
    from serving.api.keys import make_key
    from serving.settings import Settings
    from serving.site import Site
    from serving.store.storage import keep_files_private

    settings = Settings.from_env(os.environ)
    keep_files_private(settings.data_dir)
    settings.require_database()
    typer.echo(make_key(Site.open(settings), name))


def check_store() -> None:
    """Check that rows, files, messages and scratch folders of the site match. The exit code is 1 if some do not."""
    from serving.reconcile import mismatches
    from serving.settings import Settings
    from serving.site import Site
    from serving.store.storage import keep_files_private
    from serving.worker.messages import jobs_in_broker

    settings = Settings.from_env(os.environ)
    keep_files_private(settings.data_dir)
    settings.require_database()
    site = Site.open(settings)
    found = mismatches(site, jobs_in_broker(site))
    for line in found:
        typer.echo(line)
    _say(f"{len(found)} things do not match." if found else "Everything matches.")
    raise typer.Exit(1 if found else 0)


def _file(photo: str) -> Path:
    """Raises: ServingError for a web address, of which a path would drop a slash."""
    if "://" in photo:
        raise ServingError(f"{photo}: a web address, not a file; download the photo and name the file")
    return Path(photo)


def doctor(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port that the site will listen on.")] = 8000,
) -> None:
    """Check this installation and its settings, and say how to fix what is wrong."""
    from serving.doctor import examine
    from serving.settings import Settings

    findings = list(examine(Settings.from_env(os.environ), port))
    for finding in findings:
        _say(f"{'ok   ' if finding.good else 'WRONG'}  {finding.what}: {finding.said}")
    raise typer.Exit(0 if all(finding.good for finding in findings) else 1)


def backup(archive: Annotated[Path, typer.Argument(help="The archive to write, such as saved.tar.")]) -> None:
    """Back up the embedded site of the data folder: database, files and key. The site may be running."""
    from serving.backup import back_up
    from serving.settings import Settings

    back_up(Settings.from_env(os.environ), archive)
    _say(f"{archive}: written")


def restore_backup(archive: Annotated[Path, typer.Argument(help="An archive of `deep3d backup`.")]) -> None:
    """Restore a backup into an empty data folder."""
    from serving.backup import restore
    from serving.settings import Settings
    from serving.store.storage import keep_files_private

    settings = Settings.from_env(os.environ)
    keep_files_private(settings.data_dir)
    restore(settings, archive)
    _say("restored; start the site")


def _told(command: Callable[..., Result]) -> Callable[..., Result]:
    """A command whose errors for people, also that its packages are not installed, become one line and exit code 2."""

    @wraps(command)
    def run(**arguments: Any) -> Result:
        try:
            return command(**arguments)
        except ServingError as error:
            _say(f"deep3d: {error}")
        except ModuleNotFoundError as error:
            extras = _EXTRA_OF.get(error.name or "", "serving")
            _say(f"deep3d: {_name(command)}: needs the package {error.name}; pip install 'deep3d[{extras}]'")
        raise typer.Exit(2) from None

    return run


def _name(command: Callable[..., Any]) -> str:
    """What people call it."""
    return command.__name__.replace("_", "-")


def _say(line: str) -> None:
    typer.echo(line, err=True)
