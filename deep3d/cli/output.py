"""Folders, reports, progress and messages of all commands."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from deep3d.errors import Deep3DError, OutputNotWritable
from deep3d.files.whole_file import kept_if_used, written_whole

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def results_folder(folder: Path) -> Iterator[None]:
    """A folder for the results of the block, made before they take long to compute; if none come, it goes again.

    Raises: OutputNotWritable.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(kept_if_used(folder))
        except OSError as error:
            raise OutputNotWritable(
                f"{folder}: cannot create this folder ({error.strerror}); choose another"
            ) from error
        yield


def require_writable(path: Path | None) -> None:
    """Check that a report can be written, before a long measurement.

    Raises: OutputNotWritable.
    """
    if path is None:
        return
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise OutputNotWritable(f"{path}: cannot write this file; choose another path")


def write_json(path: Path | None, content: dict[str, Any]) -> None:
    """Write a report, if a file was given.

    Raises: OutputNotWritable.
    """
    if path is not None:
        write_whole(path, (json.dumps(content, indent=1) + "\n").encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, all of it or nothing.

    Raises: OutputNotWritable.
    """
    try:
        with written_whole(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise OutputNotWritable(f"{path}: cannot be written ({error.strerror}); choose another place") from error


def progress() -> Progress:
    """A progress bar on standard error; standard output still goes to its pipe or file."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty())


def tell_written(task: str, photos: Sequence[Path], written: Iterable[list[Path] | Deep3DError]) -> NoReturn:
    """One line for each photo, with the files that were written or the error, below a progress bar.

    Raises: typer.Exit, with 1 if any photo failed, otherwise 0.
    """
    failures = 0
    with progress() as bar:
        advancing = bar.add_task(task, total=len(photos))
        for path, files in zip(photos, written):
            bar.advance(advancing)
            failures += isinstance(files, Deep3DError)
            say(f"deep3d: {files}" if isinstance(files, Deep3DError) else f"{path}: {', '.join(map(str, files))}")
    raise typer.Exit(1 if failures else 0)


@contextmanager
def share_bar(what: str) -> Iterator[Callable[[float], None]]:
    """Shows a completed share in [0, 1]: as a bar, or as a line every 25% where there is no terminal."""
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
    """A message, on standard error, in one line: what names of files contain reaches no terminal as a command."""
    shown = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in line)
    typer.echo(shown, err=True)
