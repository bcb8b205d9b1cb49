"""`deep3d loadtest`: one command for each scenario, which gives a Report; `tell` prints it."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from serving.loadtest.report import Report

if TYPE_CHECKING:
    from serving.loadtest.local_site import EmbeddedSite

PhotosArgument = Annotated[list[Path], typer.Argument(help="Photos with faces, which are sent in turn.")]
CLOCK_SECONDS = 20  # by which the clock of one worker is fast, where libfaketime is installed

PhotoArgument = Annotated[Path, typer.Argument(help="A photo with a face.")]


def crowd(
    photos: PhotosArgument,
    people: Annotated[int, typer.Option(min=1, help="How many send a photo in the same second.")] = 20,
    minutes: Annotated[float, typer.Option(min=0, help="Go on for so long, each sending again when done.")] = 0,
    quality: Annotated[str, typer.Option(help="fast, normal or best.")] = "normal",
    server: Annotated[str, typer.Option(help="Another site, of which mails and memory are not seen.")] = "",
) -> Report:
    """Many people at once, embedded mode: faces a second, waiting times, pages, mails, memory."""
    from serving.client import Client
    from serving.loadtest.checking import checked
    from serving.loadtest.crowd import run_crowd, run_local_crowd

    if server:
        return run_crowd(Client(server, connections=people + 4), photos, people, 60 * minutes, quality=quality)
    with _embedded() as local:
        return checked(local, run_local_crowd(local, photos, people, 60 * minutes, quality))


def crashes(
    photos: PhotosArgument,
    jobs: Annotated[int, typer.Option(min=1, help="Jobs, each with a mail.")] = 200,
    kills: Annotated[int, typer.Option(min=0, help="How often both workers are killed.")] = 10,
    mail_seconds: Annotated[float, typer.Option(min=0, help="How long the mail server is away.")] = 60,
) -> Report:
    """Workers killed, suspended, with a wrong clock; Redis emptied and killed, PostgreSQL and mail unavailable."""
    from serving.loadtest.checking import checked
    from serving.loadtest.crashes import run_crashes
    from serving.loadtest.local_site import WORK, production_site
    from serving.loadtest.worker_process import with_wrong_clock

    work = (WORK, with_wrong_clock(WORK, CLOCK_SECONDS) or WORK)
    with _folder() as folder, production_site(folder, *work, max_queue=jobs + 1) as local:
        return checked(local, run_crashes(local, photos, jobs, kills, mail_seconds))


def hostile(
    photo: PhotoArgument,
    uploads: Annotated[int, typer.Option(min=1, help="Hostile uploads, of ten kinds in turn.")] = 1000,
    slow: Annotated[int, typer.Option(min=0, help="Slow senders beside them.")] = 50,
) -> Report:
    """Hostile uploads: the answer to each kind, and whether the site keeps serving."""
    from serving.loadtest.attacks.hostile import run_hostile
    from serving.loadtest.checking import checked

    with _embedded() as local:
        return checked(local, run_hostile(local, photo, uploads, slow))


def full_disk(
    photos: PhotosArgument,
    jobs: Annotated[int, typer.Option(min=1, help="Jobs at hand while the disk is full, and again unreadable.")] = 20,
    seconds: Annotated[float, typer.Option(min=1, help="How long each of the two lasts.")] = 60,
    megabytes: Annotated[int, typer.Option(min=16, help="Size of the disk; it is in memory.")] = 800,
) -> Report:
    """A full disk, then unreadable storage. Needs root, to mount a small disk."""
    from serving.loadtest.checking import checked
    from serving.loadtest.full_disk import run_full_disk, small_disk
    from serving.loadtest.local_site import embedded_site

    with _folder() as folder, small_disk(folder, megabytes), embedded_site(folder) as local:
        return checked(local, run_full_disk(local, photos, jobs, seconds))


def batches(
    photos: PhotosArgument,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured; the best counts.")] = 3,
) -> Report:
    """Gain from batches, for each runtime: faces per second; in brackets, detector and network time per photo."""
    from deep3d import Reconstructor
    from deep3d.runtime import available_runtimes
    from serving.loadtest.batches import run_batches

    return run_batches({name: Reconstructor.load(runtime=name) for name in available_runtimes()}, photos, rounds)


def first_view(
    photo: PhotoArgument, rounds: Annotated[int, typer.Option(min=1, help="How often the page is opened.")] = 10
) -> Report:
    """Time until Chromium shows a finished face on a first visit."""
    from serving.loadtest.checking import checked
    from serving.loadtest.first_view import run_first_view

    with _embedded() as local:
        return checked(local, run_first_view(local, photo, rounds))


def live(
    visitors: Annotated[int, typer.Option(min=1, help="Cameras that run at a time.")] = 1,
    minutes: Annotated[float, typer.Option(min=0.01, help="How long they stay.")] = 2,
) -> Report:
    """Visitors of the live page: frames per second, delay, memory."""
    from serving.loadtest.cameras.visits import run_live

    return run_live(visitors, minutes)


def heavy(photo: PhotoArgument) -> Report:
    """Thirty files that are expensive to decode: status, CPU time, memory, and the wait of a photo beside them."""
    from serving.loadtest.attacks.heavy import run_heavy
    from serving.loadtest.checking import checked

    with _embedded() as local:
        return checked(local, run_heavy(local, photo))


def collages(
    photo: PhotoArgument,
    number: Annotated[int, typer.Option("--collages", min=1, help="How many, of a hundred faces each.")] = 10,
) -> Report:
    """Collages of a hundred faces with faces=all, and the wait of ordinary photos beside them."""
    from serving.loadtest.checking import checked
    from serving.loadtest.collages import run_collages
    from serving.loadtest.local_site import embedded_site

    with _folder() as folder, embedded_site(folder) as local:
        return checked(local, run_collages(local, photo, number, folder))


def viewers(
    photo: PhotoArgument,
    people: Annotated[int, typer.Option(min=1, help="How many ask for a large picture in the same moment.")] = 70,
    rounds: Annotated[int, typer.Option(min=1, help="How often.")] = 5,
) -> Report:
    """Many large snapshots at once, and how fast the site answers meanwhile."""
    from serving.loadtest.checking import checked
    from serving.loadtest.viewers import run_viewers

    with _embedded() as local:
        return checked(local, run_viewers(local, photo, people, rounds))


SCENARIOS = (crowd, crashes, hostile, full_disk, batches, first_view, heavy, collages, viewers, live)


def choose(
    out: Annotated[Path | None, typer.Option(help="Write the figures to this JSON file.")] = None,
) -> None:
    """Test a site under load. Each scenario starts a site of its own on this machine, and stops it in the end."""
    signal.signal(signal.SIGTERM, _end)


def _end(number: int, *_: object) -> None:
    """End a scenario, its site, and its folder, which has faces in it; a second signal does not disturb that."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def tell(report: Report, out: Path | None) -> None:
    """Print a report; ends with 1 if the site has done what it must never do."""
    typer.echo(report.to_markdown())
    if out is not None:
        out.write_text(json.dumps(report.to_json(), indent=1) + "\n", encoding="utf-8")
    raise typer.Exit(1 if report.faults else 0)


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="deep3d-loadtest-") as folder:
        yield Path(folder)


@contextmanager
def _embedded() -> Iterator[EmbeddedSite]:
    """A site of the embedded mode in a folder that is deleted afterwards."""
    from serving.loadtest.local_site import embedded_site

    with _folder() as folder, embedded_site(folder) as local:
        yield local
