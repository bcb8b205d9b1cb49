"""The help lists what can be chosen by itself, since it must not wait for the library: it forgets nothing."""

import re
from typing import Any

import pytest
import typer

from deep3d.cli import app
from deep3d.cli.models import ModelKind
from deep3d.export import DEFAULT_FORMATS, FORMATS
from deep3d.export.drawings import KINDS
from deep3d.face_model.importers import IMPORTERS
from deep3d.runtime import RUNTIMES
from deep3d.video.drawing import KINDS as VIDEO_KINDS


def option(command: str, name: str) -> Any:
    group: Any = typer.main.get_command(app)
    return next(each for each in group.commands[command].params if each.name == name)


@pytest.mark.parametrize(
    ("command", "name", "choices"),
    [
        ("reconstruct", "formats", FORMATS),
        ("reconstruct", "runtime", RUNTIMES),
        ("draw", "kinds", KINDS),
        ("video", "kind", VIDEO_KINDS),
    ],
)
def test_help_names_every_choice(command, name, choices):
    assert set(choices) <= set(re.findall(r"\w+", option(command, name).help))


def test_the_default_formats_are_those_of_the_library():
    assert option("reconstruct", "formats").default == ",".join(DEFAULT_FORMATS)


def test_every_importer_can_be_called():
    assert {kind.value for kind in ModelKind} == set(IMPORTERS)
