"""What all commands do with folders, reports, progress and messages."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from deep3d.errors import OutputNotWritable

if TYPE_CHECKING:
    from rich.progress import Progress


def make_folder(folder: Path) -> None:
    """Make a folder for results.

    Raises: OutputNotWritable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputNotWritable(f"{folder}: cannot create this folder ({error.strerror}); choose another") from error


def require_writable(path: Path | None) -> None:
    """Before the long work whose figures are to be written there."""
    if path is None:
        return
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise OutputNotWritable(f"{path}: cannot write this file; choose another path")


def write_json(path: Path | None, content: dict[str, Any]) -> None:
    """Write a report, if a file is named for it.

    Raises: OutputNotWritable.
    """
    if path is not None:
        try:
            path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise OutputNotWritable(f"{path}: cannot be written ({error.strerror}); choose another place") from error


def progress() -> Progress:
    """A progress bar on standard error; what goes to a pipe or file on standard output keeps going there."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty())


@contextmanager
def share_bar(what: str) -> Iterator[Callable[[float], None]]:
    """Shows the part of something that is done, in [0, 1]: as a bar, or in a file as a line now and then."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    told = 0.0

    def tell(share: float) -> None:
        nonlocal told
        if share - told >= 0.25:
            told = share
            say(f"{what}: {share:.0%}")

    if not console.is_terminal:
        yield tell
        return
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def say(line: str) -> None:
    """A message, on standard error."""
    typer.echo(line, err=True)
