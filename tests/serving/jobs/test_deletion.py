"""Deletion is complete: nothing of a deleted job can be found anywhere, whatever died meanwhile; it needs no room."""

import io
import os
import random
import stat
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.app import create_app
from serving.jobs import erasure, expiry, heartbeats, lookup, submission
from serving.jobs.submission import Submission
from serving.jobs.uploads import CleanPhoto
from serving.loadtest.full_disk import small_disk
from serving.loadtest.servers import ServerMissing
from serving.site import Site
from serving.store.scratch import Scratch
from serving.store.tables import GONE, Job, Status
from tests.serving.conftest import WorkerProcess

JOBS = 60
SECONDS = 60  # after which nothing may be left
TRACE = 64  # bytes of a file by which it is recognised


@pytest.fixture
def portrait(tmp_path):
    """A photo whose bytes and pixels are found nowhere else."""
    pixels = np.random.default_rng(7).integers(0, 256, (64, 64, 3), np.uint8)
    path = tmp_path / "portrait.jpg"
    Image.fromarray(pixels).save(path, quality=95)
    return CleanPhoto("portrait.jpg", path.read_bytes(), 64, 64)


@pytest.fixture(params=["embedded", "production"])
def any_site(request, settings, monkeypatch, tmp_path):
    """A site of each mode, whose workers have a temporary folder that can be searched."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    if request.param == "production":
        yield request.getfixturevalue("production")
        return
    site = Site.open(replace(settings, worker_timeout=3.0))
    yield site
    site.close()


def traces_of(photo: CleanPhoto, jobs) -> list[bytes]:
    with Image.open(io.BytesIO(photo.jpeg)) as image:
        pixels = np.asarray(image.convert("RGB")).tobytes()
    middle = len(photo.jpeg) // 2
    return [
        photo.jpeg[middle : middle + TRACE],
        pixels[3000 : 3000 + TRACE],
        *(job.secret.encode() for job in jobs),
        *(address(number).encode() for number in range(JOBS)),
    ]


def address(number):
    return f"anna.{number}.unmistakable@example.com"


def found(traces, *folders):
    """The files in which a trace is found."""
    hits = set()
    for folder in folders:
        for path in Path(folder).rglob("*"):
            try:
                content = path.read_bytes() if path.is_file() else b""
            except FileNotFoundError:  # it has just been removed
                continue
            hits |= {str(path) for trace in traces if trace in content}
    return sorted(hits)


def test_nothing_is_left_of_jobs_that_are_deleted_at_random_moments(any_site, portrait, tmp_path, postgres_server):
    chance = random.Random(3)
    mails = [address(number) for number in range(JOBS)]
    jobs = [submission.submit(any_site, Submission([portrait], email=mail, session="browser")) for mail in mails]
    (tmp_path / portrait.name).unlink(missing_ok=True)
    traces = traces_of(portrait, jobs)
    any_site.database.close()  # a process that closes SQLite's file after reading it loses all its locks on it
    assert len(found(traces, any_site.settings.data_dir)) == JOBS
    worker = WorkerProcess(any_site.settings, QUICK_SCRATCH="1")
    left = list(jobs)
    while left:
        time.sleep(chance.uniform(0, 0.15))
        erasure.delete(any_site, left.pop(chance.randrange(len(left))).secret)
        if len(left) % 20 == 10:
            worker.kill()
            worker = WorkerProcess(any_site.settings, QUICK_SCRATCH="1")
    end = time.monotonic() + SECONDS
    searched = [any_site.settings.data_dir, tmp_path, postgres_server.home]
    try:
        while hits := found(traces, *searched):
            assert time.monotonic() < end, hits
            time.sleep(1)
    finally:
        worker.kill()
    with any_site.database.reading() as session:
        assert {job.status for job in session.query(Job)} == {Status.DELETED}


def test_deletion_and_expiry_need_no_room(settings, portrait, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        with small_disk(disk, 16):
            site = Site.open(replace(settings, data_dir=disk))
            jobs = [submission.submit(site, Submission([portrait], email="anna@example.com")) for _ in range(8)]
            with site.database.session() as session:
                session.get_one(Job, jobs[-1].id).expires_at = 0.0
            fill(disk / "filler")
            client = create_app(site.settings).test_client()
            for job in jobs[:-1]:
                assert client.delete(f"/api/v1/jobs/{job.secret}").status_code == 204
            expiry.expire(site)
            assert {lookup.find_even_gone(site, job.secret).status for job in jobs} == set(GONE)
            assert not [job for job in jobs if site.storage.exists(job.folder)]
            site.close()
            client.application.extensions["site"].close()
    except ServerMissing as error:
        pytest.skip(str(error))


def fill(path):
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_what_killed_workers_leave_is_swept_and_that_of_the_living_is_not(site, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", None)
    scratch = Scratch(site.settings.data_dir)
    mine = heartbeats.register(site)
    for worker in ("killed", mine):
        scratch.use(worker)
    scratch.sweep(heartbeats.all_ids(site))
    assert scratch.owners() == [mine]
    scratch.leave(mine)
    assert scratch.owners() == []


def test_nobody_else_may_read_what_the_site_writes(settings, portrait):
    settings.data_dir.mkdir(mode=0o755, exist_ok=True)  # as an earlier version, or an operator, has made it
    settings.data_dir.chmod(0o755)
    write = "import sys; from tests.serving.jobs.test_deletion import write_as_the_site_does; write_as_the_site_does()"
    environ = {**os.environ, "DEEP3D_DATA_DIR": str(settings.data_dir)}
    subprocess.run([sys.executable, "-c", write], check=True, env=environ, cwd=Path(__file__).parents[3])
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in settings.data_dir.rglob("*")}
    modes[settings.data_dir] = stat.S_IMODE(settings.data_dir.stat().st_mode)
    assert len(modes) >= 5
    assert [path for path, mode in modes.items() if mode & 0o077] == []


def write_as_the_site_does():
    """Start as gunicorn does, and take a job."""
    from serving.app import create_app_from_environment

    site = create_app_from_environment().extensions["site"]
    submission.submit(site, Submission([CleanPhoto("a.jpg", b"photo", 8, 8)], email="anna@example.com"))
    site.close()


def test_results_are_stored_by_nobody(settings, portrait):
    client = create_app(settings).test_client()
    site = client.application.extensions["site"]
    job = submission.submit(site, Submission([portrait]))
    for path in (f"/jobs/{job.secret}", f"/api/v1/jobs/{job.secret}", "/faces", "/jobs/unknown"):
        assert client.get(path).headers["Cache-Control"] == "no-store"
    site.close()
